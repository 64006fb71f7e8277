// What a reader selected in an answer that grows stays selected: the browser
// forgets it where a text is set anew or moves into another element.

import { useLayoutEffect } from 'preact/hooks'

/** @typedef {{node: Node|null, offset: number}} Place */

/** @param {Selection} s @returns {[Place, Place]} */
const placesOf = (s) => [{ node: s.anchorNode, offset: s.anchorOffset }, { node: s.focusNode, offset: s.focusOffset }]

/** The selection, unless it is but a caret. */
function selected() {
  const selection = getSelection()
  return selection && !selection.isCollapsed ? selection : null
}

/** @param {Selection} selection @param {Place} from @param {Place} to */
function select(selection, from, to) {
  if (from.node?.isConnected && to.node?.isConnected) selection.setBaseAndExtent(from.node, from.offset, to.node, to.offset)
}

/** Programs look after what is selected in them by themselves. @param {Place} place */
const inCode = ({ node }) => Boolean(node?.parentElement?.closest('pre'))

/**
 * Over a drawing in which texts keep their nodes, and what was shown stays.
 * @param {boolean} growing
 */
export function useKeptSelection(growing) {
  const selection = growing ? selected() : null
  const before = selection && placesOf(selection)
  useLayoutEffect(() => {
    if (!selection || !before || before.some(inCode)) return
    const now = placesOf(selection)
    if (now.some(({ node, offset }, i) => node !== before[i].node || offset !== before[i].offset)) select(selection, ...before)
  })
}

/**
 * Over a change that puts the words of an element into other nodes.
 * @param {HTMLElement} el @param {() => void} change
 */
export function keepSelection(el, change) {
  const selection = selected()
  const before = selection && placesOf(selection)
  if (!selection || !before || !before.some(({ node }) => el.contains(node))) return change()
  const letters = before.map(({ node, offset }) => (node && el.contains(node) ? lettersTo(el, node, offset) : -1))
  change()
  const [from, to] = before.map((place, i) => (letters[i] < 0 ? place : placeAt(el, letters[i])))
  select(selection, from, to)
}

/** @param {HTMLElement} el @param {Node} node @param {number} offset */
function lettersTo(el, node, offset) {
  const range = document.createRange()
  range.setStart(el, 0)
  range.setEnd(node, offset)
  return range.toString().length
}

/** @param {HTMLElement} el @param {number} letters @returns {Place} */
function placeAt(el, letters) {
  const walker = document.createTreeWalker(el, NodeFilter.SHOW_TEXT)
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const { length } = /** @type {Text} */ (node)
    if (letters <= length) return { node, offset: letters }
    letters -= length
  }
  return { node: el, offset: el.childNodes.length }
}
