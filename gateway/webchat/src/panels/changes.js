// What is different about a server since somebody approved it, the old beside the new.

import { html } from 'htm/preact'
import { useMemo } from 'preact/hooks'
import { written } from '../chat/data.js'
import { byTool, compare } from './compare.js'
import { Definition } from './definition.js'
import { exactLines, Foreign, Line } from './foreign.js'
import { w } from './words.js'

/** @typedef {import('./compare.js').ToolChange} ToolChange */

/** Longer texts stand beside each other without marks. */
const MARKED = 20_000
/** Changes that are shown. */
const MOST = 200

/** @param {{server: import('./standing.js').Server}} props */
export function Changes({ server }) {
  const all = useMemo(() => byTool(server.changes ?? [], server.tools), [server])
  return html`<section class="changes" aria-labelledby="what-changed"><h3 id="what-changed">${w('whatChanged')}</h3>
    ${all.length ? html`<ul class="definitions">${all.slice(0, MOST).map((c) => html`<li key=${c.tool}><${OneChange} change=${c} /></li>`)}</ul>` : html`<p>${w('otherChanged')}</p>`}
    ${all.length > MOST ? html`<p class="muted">${w('moreTools', { n: all.length - MOST })}</p>` : ''}</section>`
}

/** @param {{change: ToolChange}} props */
function OneChange({ change: { tool, what, was, now } }) {
  const only = now && what.includes('added') ? now : !now ? was : undefined
  return html`<h4><${Line} text=${tool} /> ${what.map((x) => html`<span key=${x} class="tag tag-${x === 'removed' ? 'bad' : 'ask'}">${w(x) || x}</span> `)}</h4>
    ${only ? html`<${Definition} tool=${only} />` : ''}
    ${!only && now && !was ? html`<p class="muted">${w('wasUnknown')}</p><${Definition} tool=${now} />` : ''}
    ${!only && now && was && what.includes('description') ? html`<${Beside} before=${was.description} after=${now.description} name=${tool} />` : ''}
    ${!only && now && was && what.includes('schema') ? html`<${SchemasBeside} before=${was.inputSchema} after=${now.inputSchema} name=${tool} />` : ''}`
}

/** @param {{before: unknown, after: unknown, name: string}} props */
function SchemasBeside({ before, after, name }) {
  const [a, b] = useMemo(() => [written(before), written(after)], [before, after])
  return html`<${Beside} before=${a} after=${b} name=${name} />`
}

/** @param {{before: string, after: string, name: string}} props */
export function Beside({ before, after, name }) {
  const marked = before.length <= MARKED && after.length <= MARKED
  const both = useMemo(() => (marked ? compare(before, after) : null), [before, after])
  const side = (/** @type {'asApproved'|'asNow'} */ key, /** @type {string} */ text, /** @type {import('./compare.js').Stretch[]|undefined} */ stretches, /** @type {string} */ tag) => {
    const label = `${w(key)}: ${name.slice(0, 100)}`
    return html`<div><p class="label">${w(key)}</p>${stretches ? html`<pre class="exact foreign" role="group" aria-label=${label} translate="no">${stretches.map((s, i) => {
      const inner = exactLines(s.text, i > 0, i < stretches.length - 1)
      return s.same ? inner : tag === 'del' ? html`<del>${inner}</del>` : html`<ins>${inner}</ins>`
    })}</pre>` : html`<${Foreign} text=${text} label=${label} />`}</div>`
  }
  return html`<div class="beside">${side('asApproved', before, both?.a, 'del')}${side('asNow', after, both?.b, 'ins')}</div>`
}
