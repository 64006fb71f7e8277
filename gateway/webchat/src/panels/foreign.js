// What others wrote, to the letter and no further than somebody looks: plain text,
// in which what cannot be seen or passes for something else shows what it is.

import { html } from 'htm/preact'
import { useMemo, useState } from 'preact/hooks'
import { cutAt } from '../chat/clip.js'
import { exactly } from '../chat/exact.js'
import { drawn } from '../ui/parts.js'
import { piecesOf } from './pieces.js'
import { w } from './words.js'

/** Pieces of a long text that one press shows. */
const MORE = 16
/** Characters of what stands in one line. */
const LINE = 300

/**
 * Lines and their indents are shown as such; everything else as it is exactly.
 * @param {string} text @param {boolean} [comes] something stands before it in the same line @param {boolean} [goes] something follows
 */
export function exactLines(text, comes = false, goes = false) {
  // One blank between this and its neighbours is nothing to wonder at.
  const front = comes && /^ (?! )/.test(text) ? ' ' : ''
  const back = goes && /(?<! ) $/.test(text.slice(front.length)) ? ' ' : ''
  const rest = text.slice(front.length, text.length - back.length)
  return [front, ...rest.split(/(\n *|^ +)/).flatMap((piece, i) => (i % 2 ? [piece] : drawn(exactly(piece)))), back]
}

/** @param {{text: string}} props */
const Piece = ({ text }) => useMemo(() => exactLines(text), [text])

/** @param {{text: string, label: string, more?: string}} props */
export function Foreign({ text, label, more = '' }) {
  const [most, setMost] = useState(1)
  const { pieces, left } = useMemo(() => piecesOf(text, most), [text, most])
  return html`<pre class="exact foreign ${more}" role="group" aria-label=${label} translate="no">${pieces.map((piece, i) => html`<${Piece} key=${i} text=${piece} />`)}</pre>
    ${left ? html`<button type="button" class="ghost more-text" onClick=${() => setMost(most + MORE)}>${w('moreText', { n: left })}</button>` : ''}`
}

/** A name or another short text, in one line. @param {{text: string}} props */
export function Line({ text }) {
  return useMemo(() => html`<span class="exact" translate="no">${drawn(exactly(text.slice(0, cutAt(text, LINE))))}${text.length > LINE ? '…' : ''}</span>`, [text])
}
