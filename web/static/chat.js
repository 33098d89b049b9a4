// The chat without page loads. It works without this file; with it, only what is new is read out.
const chat = document.getElementById('chat')
const still = matchMedia('(prefers-reduced-motion: reduce)').matches

htmx.defineExtension('chat', {
  handleSwap (style, target, fragment) {
    const fresh = style === 'chat' && fragment.querySelector('#chat')
    if (!fresh) return false
    const typing = document.activeElement?.closest('#words')
    const draft = unsentWords()
    const made = [...merge(target.querySelector('#log'), fresh.querySelector('#log'))]
    for (const id of ['answering', 'files', 'words', 'tools', 'lost']) made.push(...replace(target, fresh, id))
    target.dataset.at = fresh.dataset.at
    look(typing, draft)
    return made
  }
})

// Bubbles that say the same stay, so that a screen reader reads only the new ones.
function * merge (log, fresh) {
  log.querySelector('#now').remove() // it moves on, so that nothing else has to
  const old = new Map([...log.children].map(bubble => [bubble.id, bubble]))
  const bubbles = [...fresh.children].map(bubble => {
    const same = old.get(bubble.id)
    return same?.isEqualNode(bubble) ? same : bubble
  })
  for (const bubble of old.values()) if (!bubbles.includes(bubble)) bubble.remove()
  for (const [at, bubble] of bubbles.entries()) {
    if (log.children[at] === bubble) continue
    log.insertBefore(bubble, log.children[at] ?? null)
    yield bubble
  }
}

function * replace (target, fresh, id) {
  const now = target.querySelector('#' + id)
  const next = fresh.querySelector('#' + id)
  if (now && next) now.replaceWith(next)
  else if (now) now.remove()
  if (now && next) yield next
}

function look (typing, draft) {
  const box = document.getElementById('text')
  if (box && draft && !box.value) box.value = draft
  if (typing && box) box.focus({ preventScroll: true })
  else document.getElementById('answering').focus({ preventScroll: true })
  newest()
}

// What was typed while an answer was on its way is not lost with the old box.
let sentWords = ''
chat.addEventListener('htmx:beforeRequest', event => {
  sentWords = event.detail.elt.id === 'words' ? document.getElementById('text').value : ''
})

function unsentWords () {
  const words = document.getElementById('text')?.value ?? ''
  return words === sentWords ? '' : words
}

function newest () {
  const now = document.getElementById('now')
  now.scrollIntoView({ block: 'start', behavior: still ? 'auto' : 'smooth' })
}

// --- When it does not arrive: the words stay in the box, and the same key is sent again. ---

let unsent = null

function lost (event) {
  unsent = { form: event.detail.elt, by: event.detail.requestConfig?.triggeringEvent?.submitter }
  const message = document.getElementById('lost')
  message.hidden = false
  message.scrollIntoView({ block: 'nearest' })
}

chat.addEventListener('htmx:sendError', lost)
chat.addEventListener('htmx:timeout', lost)
chat.addEventListener('htmx:responseError', event => {
  if (event.detail.xhr.status < 429) location.reload()
  else lost(event)
})
chat.addEventListener('click', event => {
  if (event.target.id !== 'again' || !unsent) return
  document.getElementById('lost').hidden = true
  unsent.form.requestSubmit(unsent.by?.isConnected ? unsent.by : undefined)
})

// An answer that is another page (it was deleted, or begun anew) is gone to.
chat.addEventListener('htmx:beforeSwap', event => {
  const to = new URL(event.detail.xhr.responseURL || location.href)
  if (to.pathname === location.pathname) return
  event.detail.shouldSwap = false
  location.assign(to.pathname)
})

if (document.querySelector('.wm-bubble--me')) newest()
