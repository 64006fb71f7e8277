// Where the focus goes when what had it disappears.

/**
 * After the next drawing: if the focus fell off the page, to the first of these that is there.
 * @param {...(string | (() => HTMLElement|null|undefined))} places selectors, or what finds the element
 */
export function keepFocus(...places) {
  const was = document.activeElement
  let frames = 0
  const look = () => {
    const at = document.activeElement
    if (at && at !== document.body && at !== was) return // it went where somebody sent it
    const lost = !at || at === document.body || !at.isConnected
    if (lost && places.some(take)) return
    if (frames++ < 60) requestAnimationFrame(look)
  }
  requestAnimationFrame(look)
}

/** @param {string | (() => HTMLElement|null|undefined)} place @returns {boolean} whether the focus is there now */
function take(place) {
  const el = typeof place === 'string' ? document.querySelector(place) : place()
  if (!(el instanceof HTMLElement) || !el.checkVisibility({ visibilityProperty: true })) return false
  el.focus({ preventScroll: true })
  return document.activeElement === el
}
