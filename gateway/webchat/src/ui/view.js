// Where the reader is in a conversation, kept with the entry of the browser's
// history: Back, Forward and a reload show the same place again.

/** @typedef {{turn: string, offset: number}} View the first turn in view, and how far below the upper edge it begins */

/** @returns {View|null} what this entry holds */
export function keptView() {
  const view = history.state?.view
  return view && typeof view.turn === 'string' && Number.isFinite(view.offset) ? view : null
}

/** @param {View|null} view null: the end */
export function keepView(view) {
  const now = keptView()
  if (now?.turn === view?.turn && now?.offset === view?.offset) return
  try {
    history.replaceState({ ...history.state, view }, '')
  } catch {
    // Browsers refuse it when it comes too often; the next one counts.
  }
}

/** @param {HTMLElement} box @param {HTMLElement} content whose children are turns, one below the other @returns {View|null} */
export function viewOf(box, content) {
  const edge = box.getBoundingClientRect().top
  const turns = /** @type {NodeListOf<HTMLElement>} */ (content.querySelectorAll(':scope > [data-turn]'))
  let from = 0
  let to = turns.length
  while (from < to) {
    const mid = (from + to) >> 1
    if (turns[mid].getBoundingClientRect().bottom > edge) to = mid
    else from = mid + 1
  }
  const first = turns[from]
  return first?.dataset.turn ? { turn: first.dataset.turn, offset: Math.round(first.getBoundingClientRect().top - edge) } : null
}

/** Moves the box so that the turn stands where it stood. @param {HTMLElement} box @param {View} view @returns {boolean} whether the turn is there */
export function showView(box, view) {
  const turn = box.querySelector(`[data-turn="${CSS.escape(view.turn)}"]`)
  if (!turn) return false
  const off = turn.getBoundingClientRect().top - box.getBoundingClientRect().top - view.offset
  if (Math.abs(off) >= 1) box.scrollTop += off
  return true
}
