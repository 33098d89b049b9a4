// Wakes the GOV.UK components; pages work without it.
import { initAll } from '/static/vendor/govuk-frontend.min.js'
initAll()
