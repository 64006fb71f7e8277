// Text to the letter on the page, and lines of it. Of a very long text a part is there
// at first, and it says how much is not.

import { html } from 'htm/preact'
import { useState } from 'preact/hooks'
import { w } from '../i18n/steps.js'
import { clipRows, cutExact } from '../chat/clip.js'
import { exactly } from '../chat/exact.js'
import { drawn } from './parts.js'

/** @typedef {import('../chat/exact.js').Part} Part */
/** @typedef {import('../chat/clip.js').Row} Row */

/** Each press shows so many times as much. */
const MORE = 4

/**
 * The same of a text whose lines and indents are the page's own: JSON has its
 * values' line ends as escapes already.
 * @param {string} json @returns {Part[]}
 */
const laidOut = (json) => json.split(/^( *)/m).flatMap((piece, i) => {
  if (i % 2) return { text: piece }
  return piece.endsWith('\n') ? [...exactly(piece.slice(0, -1)), { text: '\n' }] : exactly(piece)
})

/** The thing itself, in a sentence; of a tool its server and its name. @param {{text: string, between?: string}} props */
export const Thing = ({ text, between = '' }) => html`<code class="thing" translate="no">${(between ? text.split(between) : [text]).map((part, i) => [i ? ' › ' : '', drawn(exactly(part))])}</code>`

/** @param {{left: number, more: () => void}} props */
export const More = ({ left, more }) => html`<button type="button" class="show-more" onClick=${more}>${w('moreText', { n: left })}</button>`

/** @param {{text: string, label: string, more?: string, json?: boolean, first?: number}} props json: as data.js lays it out; first: characters */
export function Exact({ text, label, more = '', json = false, first = 20_000 }) {
  const [room, setRoom] = useState(first)
  const end = cutExact(text, room)
  const shown = text.slice(0, end)
  return html`<div class="exact-box"><pre class="exact ${more}" tabindex="0" role="group" aria-label=${label} translate="no">${drawn(json ? laidOut(shown) : exactly(shown))}</pre>
    ${end < text.length ? html`<${More} left=${text.length - end} more=${() => setRoom(room * MORE)} />` : ''}</div>`
}

/** Lines to the letter, each in its place. @param {{rows: Row[], label: string, chars?: number, lines?: number}} props */
export function Rows({ rows, label, chars = 8000, lines = 80 }) {
  const [times, setTimes] = useState(1)
  const { shown, left } = clipRows(rows, chars * times, lines * times)
  return html`<div class="exact-box"><div class="exact rows" tabindex="0" role="group" aria-label=${label} translate="no">${shown.map((row, i) => ('gap' in row
    ? html`<div key=${i} class="gap">${w('unchanged', { n: row.gap })}</div>`
    : html`<div key=${i} class=${row.sign === '+' ? 'added' : row.sign === '-' ? 'removed' : ''}><span class="sign">${row.sign}</span>${drawn(exactly(row.text))}${'\n'}</div>`))}</div>
    ${left > 0 ? html`<${More} left=${left} more=${() => setTimes(times * MORE)} />` : ''}</div>`
}
