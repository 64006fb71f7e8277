// A removal that can be taken back for a moment.

import { signal } from '@preact/signals'

/** How long it can be taken back. */
const UNDO = 6000

/**
 * @template T
 * @param {(gone: T, leaving: boolean) => unknown} settle does it; leaving: the page is about to go
 */
export function removal(settle) {
  /** What is about to go. */
  const removing = signal(/** @type {T|null} */ (null))
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  let timer
  /** Ends the time in which it can be taken back: so it is taken back. @returns {T|null} */
  const undo = () => {
    clearTimeout(timer)
    const gone = removing.peek()
    removing.value = null
    return gone
  }
  /** Does not wait any longer. */
  const now = async (leaving = false) => {
    const gone = undo()
    if (gone) await settle(gone, leaving)
  }
  /** Removes it in a while, and what was about to go before it at once. @param {T} what */
  const soon = (what) => {
    now()
    removing.value = what
    timer = setTimeout(now, UNDO)
  }
  if (typeof addEventListener === 'function') addEventListener('pagehide', () => now(true))
  return { removing, soon, undo, now }
}
