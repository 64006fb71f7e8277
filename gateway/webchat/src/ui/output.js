// What came of a call, drawn as what it is: always text, never more than a reader asked for.

import { html } from 'htm/preact'
import { useMemo, useState } from 'preact/hooks'
import { w } from '../i18n/steps.js'
import { cutAt, short } from '../chat/clip.js'
import { written } from '../chat/data.js'
import { resultOf } from '../chat/results.js'
import { tame } from '../chat/tame.js'
import { webAddress } from '../text/links.js'
import { More } from './exact.js'
import { drawn } from './parts.js'

/** @typedef {import('../chat/results.js').Source} Source */

const MORE = 4

/** Text of others. @param {{text: string, label: string, look?: string}} props */
export function Foreign({ text, label, look = '' }) {
  const [times, setTimes] = useState(1)
  const end = cutAt(text, 4000 * times, 24 * times)
  return html`<div class="exact-box"><pre tabindex="0" role="group" class="output ${look}" dir="auto" aria-label=${label}>${drawn(tame(text.slice(0, end)))}</pre>
    ${end < text.length ? html`<${More} left=${text.length - end} more=${() => setTimes(times * MORE)} />` : ''}</div>`
}

/** The first of many. @param {{all: any[], draw: (entry: any, i: number) => unknown, look: string, label: string, ordered?: boolean}} props */
function List({ all, draw, look, label, ordered = false }) {
  const [n, setN] = useState(10)
  const items = all.slice(0, n).map((entry, i) => html`<li key=${i}>${draw(entry, i)}</li>`)
  return html`${ordered ? html`<ol class=${look} aria-label=${label}>${items}</ol>` : html`<ul class=${look} aria-label=${label}>${items}</ul>`}
    ${all.length > n ? html`<button type="button" class="show-more" onClick=${() => setN(n * MORE)}>${w('more', { n: all.length - n })}</button>` : ''}`
}

/** One that was found. @param {Source} source */
function drawSource({ title, url, host, snippet, date }) {
  const name = html`<bdi>${short(title, 200)}</bdi>`
  return html`${url ? html`<a href=${url} target="_blank" rel="noopener noreferrer nofollow">${name}</a>` : html`<strong>${name}</strong>`}
    <p class="muted"><bdi>${short(host, 100)}</bdi>${date ? html` · <bdi>${short(date, 20)}</bdi>` : ''}</p>
    ${snippet ? html`<p class="snippet" dir="auto">${short(snippet, 400)}</p>` : ''}`
}

/** @param {{call: import('../chat/state.js').Call}} props */
export function Output({ call }) {
  const result = useMemo(() => resultOf(call), [call])
  const named = result.kind !== 'none' && (result.kind !== 'terminal' || result.out !== '')
  return html`${named ? html`<p class="label">${w('result')}</p>` : ''}${drawResult(result)}`
}

/** @param {import('../chat/results.js').Result} result */
function drawResult(result) {
  const label = w('result')
  switch (result.kind) {
    case 'none': return html`<p class="muted">${w('nothing')}</p>`
    case 'terminal': return html`
      ${result.out ? html`<${Foreign} text=${result.out} label=${label} look="terminal" />` : ''}
      ${result.errors ? html`<p class="label">${w('errors')}</p><${Foreign} text=${result.errors} label=${w('errors')} look="terminal errors" />` : ''}
      ${!result.out && !result.errors ? html`<p class="muted">${w('nothing')}</p>` : ''}
      ${result.exit ? html`<p class="muted">${w('exit', { n: result.exit })}</p>` : ''}
      <${Note} text=${result.note} />`
    case 'sources': return html`<${List} all=${result.sources} draw=${drawSource} look="sources" label=${w('found')} ordered /><${Note} text=${result.note} />`
    case 'hits': return html`<${List} all=${result.hits} look="hits" label=${w('found')} draw=${(/** @type {any} */ h) => html`
      <code><bdi>${short(h.path, 300)}</bdi>${h.line ? `:${h.line}` : ''}</code>${h.text ? html` <span dir="auto">${short(h.text, 300)}</span>` : ''}`} /><${Note} text=${result.note} />`
    case 'names': return html`<${List} all=${result.names} look="names" label=${w('files')} draw=${(/** @type {any} */ n) => html`<code><bdi>${short(n.name, 300)}</bdi>${n.folder ? '/' : ''}</code>`} /><${Note} text=${result.note} />`
    case 'memories': return html`<${List} all=${result.memories} look="memories" label=${w('found')} draw=${(/** @type {any} */ m) => html`
      <span dir="auto">${short(m.content, 600)}</span> <span class="muted">${short(m.day, 20)}</span>`} /><${Note} text=${result.note} />`
    case 'data': return html`<${Foreign} text=${written(result.value)} label=${label} />`
    default: return html`<${Foreign} text=${result.text} label=${label} /><${Note} text=${result.note ?? ''} />`
  }
}

/** What the agent says of it. @param {{text: string}} props */
const Note = ({ text }) => (text ? html`<p class="muted note" dir="auto">${short(text, 1000)}</p>` : null)

/** An address that leads out of the page, as its own text. @param {{address: string}} props */
export function Leading({ address }) {
  const href = webAddress(address)?.href
  return href ? html`<p class="leading"><a href=${href} target="_blank" rel="noopener noreferrer nofollow">${short(href, 300)}</a></p>` : null
}
