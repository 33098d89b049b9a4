// Copying and printing codes; their buttons show only where this runs.
document.addEventListener('click', async event => {
  const copy = event.target.closest('[data-copy]')
  if (event.target.closest('[data-print]')) print()
  if (!copy) return
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(copy.dataset.copy)
    document.querySelector('[data-copy-status]').textContent = copy.dataset.copied
  } else {
    getSelection().selectAllChildren(document.querySelector('.wm-codes dl'))
  }
})
