"""What a person gives away about somebody's safety: by what they choose, and in their own words."""

from bot.safeguarding.disclosures import Concern as Concern
from bot.safeguarding.disclosures import concerns as concerns
from bot.safeguarding.disclosures import heard as heard
from bot.safeguarding.screening import Screened as Screened
from bot.safeguarding.screening import Screening as Screening
