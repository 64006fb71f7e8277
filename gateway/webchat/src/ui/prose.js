// An answer's text, drawn. Each block is drawn once; while the answer grows only
// its end is drawn again, down to the item or the row that grows.

import '../base.js'
import { h } from 'preact'
import { useRef } from 'preact/hooks'
import { AnswerText } from '../text/answer.js'
import { language } from '../i18n/language.js'
import { useKeptSelection } from './selection.js'
import { elements } from './tree.js'

/** @param {{text: string, growing: boolean}} props */
export function Prose({ text, growing }) {
  const ref = useRef(/** @type {{lang: string, answer: AnswerText}|null} */ (null))
  if (ref.current?.lang !== language.value) ref.current = { lang: language.value, answer: new AnswerText() }
  const { blocks, notes } = ref.current.answer.draw(text, growing)
  useKeptSelection(growing)
  return h('div', { class: 'prose', onClick: toNote },
    blocks.map((b, i) => (b.nodes.length ? (b.view ??= h('div', { class: 'block', key: i }, drawn(b))) : null)),
    notes.length ? h('div', { class: 'block', key: 'notes' }, elements(notes)) : null)
}

/** A block that cannot be drawn is shown as it was written. @param {{raw: string, nodes: import('../text/nodes.js').Node[]}} block */
function drawn({ raw, nodes }) {
  try {
    return elements(nodes)
  } catch {
    return h('p', { class: 'plain' }, raw)
  }
}

/** From a reference to its footnote and back, without an address of its own. @param {MouseEvent} e */
function toNote(e) {
  const button = e.target instanceof Element ? /** @type {HTMLElement|null} */ (e.target.closest('[data-note], [data-note-of]')) : null
  const prose = button?.closest('.prose')
  if (!button || !prose) return
  const { note, noteOf } = button.dataset
  const to = prose.querySelector(note ? `[data-note-of="${CSS.escape(note)}"]` : `[data-note="${CSS.escape(noteOf ?? '')}"]`)
  if (!(to instanceof HTMLElement)) return
  to.scrollIntoView({ block: 'nearest' })
  to.focus({ preventScroll: true })
}
