// Now and then asks how much is new in the queue, and says so. Nothing is moved under the reader.
const said = document.getElementById('news')
const EVERY = 60_000

async function ask() {
  const reply = await fetch(`/staff/queue/new?since=${encodeURIComponent(said.dataset.since)}`)
  if (!reply.ok || reply.redirected) return clearInterval(asking) // signed out: it says so there
  const { changed, alerts } = await reply.json()
  const parts = [
    alerts && (alerts === 1 ? '1 new safety alert' : `${alerts} new safety alerts`),
    changed && (changed === 1 ? '1 submission is new or changed' : `${changed} submissions are new or changed`)
  ].filter(Boolean)
  said.hidden = parts.length === 0
  const words = parts.length ? `${parts.join(', ')}.` : ''
  const place = said.querySelector('span')
  if (place.textContent !== words) place.textContent = words
}

const asking = setInterval(() => ask().catch(() => {}), EVERY)
