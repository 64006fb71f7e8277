// Text to the letter on the page.

import { html } from 'htm/preact'
import { exactly } from '../chat/exact.js'

/** @typedef {import('../chat/exact.js').Part} Part */

/**
 * The same of a text whose lines and indents are the page's own: JSON has its
 * values' line ends as escapes already.
 * @param {string} json @returns {Part[]}
 */
const laidOut = (json) => json.split(/^( *)/m).flatMap((piece, i) => {
  if (i % 2) return { text: piece }
  return piece.endsWith('\n') ? [...exactly(piece.slice(0, -1)), { text: '\n' }] : exactly(piece)
})

/** @param {{text: string, label: string, more?: string, json?: boolean}} props json: as JSON.stringify lays it out */
export function Exact({ text, label, more = '', json = false }) {
  const parts = json ? laidOut(text) : exactly(text)
  return html`<pre class="exact ${more}" tabindex="0" role="group" aria-label=${label} translate="no">${parts.map((part) => ('text' in part ? part.text
    : 'word' in part ? html`<bdi>${part.word}</bdi>` : html`<span class="escape">${part.escape}</span>`))}</pre>`
}
