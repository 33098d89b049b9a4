// The chat without page loads. It works without this file; with it, only what is new is read out.
// The browser itself parses the answer (`responseType`), so nothing here makes markup from text.
const chat = document.getElementById('chat')
const still = matchMedia('(prefers-reduced-motion: reduce)').matches
const PATIENCE = 20000
const PATIENCE_FOR_FILES = 300000
const FORMS = ['steps', 'words', 'adding', 'asks']
const PARTS = ['answering', 'files', 'words', 'asking', 'tools', 'lost']

let sending = false
let unsent = null

chat.addEventListener('submit', event => {
  const form = event.target
  if (!FORMS.includes(form.id)) return
  event.preventDefault()
  if (!sending) post(form, event.submitter)
})

function post (form, by) {
  const words = document.getElementById('text')?.value ?? ''
  const sent = form.id === 'words' ? words : ''
  const files = form.id === 'adding'
  const address = new URL(form.action).pathname
  const fields = new FormData(form)
  if (by?.name) fields.append(by.name, by.value)
  const request = new XMLHttpRequest()
  request.open('POST', address)
  request.responseType = 'document'
  request.timeout = files ? PATIENCE_FOR_FILES : PATIENCE
  request.onloadend = () => {
    sending = false
    form.classList.remove('wm-sending')
    arrived(request, address, sent, form.id === 'asks') || lost(form, by, request.status === 429)
  }
  sending = true
  form.classList.add('wm-sending')
  document.getElementById('lost').hidden = true
  request.send(files ? fields : new URLSearchParams(fields))
}

// Whether the answer came: shown here, or on another page that it led to.
function arrived (request, address, sent, asked) {
  const { status, response } = request
  if (!status || status === 429 || status >= 500) return false
  const to = new URL(request.responseURL)
  const fresh = response?.querySelector('#chat')
  if (![location.pathname, address].includes(to.pathname)) location.assign(to.pathname)
  else if (fresh && (status < 400 || status === 422)) show(fresh, sent, asked)
  else location.reload()
  return true
}

function show (fresh, sent, asked) {
  const typing = document.activeElement?.closest('#words')
  const words = document.getElementById('text')?.value ?? ''
  const draft = words === sent ? '' : words // typed while an answer was on its way
  merge(document.getElementById('log'), fresh.querySelector('#log'))
  const same = asked && fresh.dataset.at === chat.dataset.at // ticks and words there stay
  for (const id of same ? ['asking', 'lost'] : PARTS) replace(fresh, id)
  chat.dataset.at = fresh.dataset.at
  look(typing, draft)
}

// Bubbles that say the same stay, so that a screen reader reads only the new ones.
function merge (log, fresh) {
  log.querySelector('#now').remove() // it moves on, so that nothing else has to
  const old = new Map([...log.children].map(bubble => [bubble.id, bubble]))
  const bubbles = [...fresh.children].map(bubble => {
    const same = old.get(bubble.id)
    return same?.isEqualNode(bubble) ? same : bubble
  })
  for (const bubble of old.values()) if (!bubbles.includes(bubble)) bubble.remove()
  for (const [at, bubble] of bubbles.entries()) {
    if (log.children[at] !== bubble) log.insertBefore(bubble, log.children[at] ?? null)
  }
}

function replace (fresh, id) {
  const now = document.getElementById(id)
  const next = fresh.querySelector('#' + id)
  if (now && next) now.replaceWith(next)
  else now?.remove()
}

function look (typing, draft) {
  const box = document.getElementById('text')
  if (box && draft && !box.value) box.value = draft
  if (typing && box) box.focus({ preventScroll: true })
  else document.getElementById('answering').focus({ preventScroll: true })
  newest()
}

function newest () {
  const now = document.getElementById('now')
  now.scrollIntoView({ block: 'start', behavior: still ? 'auto' : 'smooth' })
}

// When it does not arrive: the words stay in the box, and the same key is sent again.
function lost (form, by, slow) {
  unsent = { form, by }
  const message = document.getElementById('lost')
  message.querySelector('.wm-lost').hidden = slow
  message.querySelector('.wm-slow').hidden = !slow
  message.hidden = false
  message.scrollIntoView({ block: 'nearest' })
}

chat.addEventListener('click', event => {
  if (event.target.id !== 'again' || !unsent) return
  const by = unsent.by?.isConnected ? unsent.by : undefined
  unsent.form.requestSubmit(by)
})

if (document.querySelector('.wm-bubble--me')) newest()
