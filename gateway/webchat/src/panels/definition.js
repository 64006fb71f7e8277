// A tool as its server defines it.

import { html } from 'htm/preact'
import { useMemo, useState } from 'preact/hooks'
import { written } from '../chat/data.js'
import { Foreign, Line } from './foreign.js'
import { parametersOf } from './pieces.js'
import { w } from './words.js'

/** @typedef {import('./compare.js').Tool} Tool */

/** @param {{tool: Tool}} props */
export function Definition({ tool }) {
  const hidden = Object.keys(tool.inputSchema ?? {}).length === 0
  return html`<div class="definition">
    ${tool.description ? html`<${Foreign} text=${tool.description} label=${w('textOf', { name: tool.name.slice(0, 100) })} />` : html`<p class="muted">${w('noDescription')}</p>`}
    ${hidden ? html`<p class="muted">${w('notDeclared')}</p>` : html`<${SchemaView} schema=${tool.inputSchema} />`}
  </div>`
}

/** @param {{schema: any}} props */
function SchemaView({ schema }) {
  const [open, setOpen] = useState(false)
  const { parameters, left } = useMemo(() => parametersOf(schema), [schema])
  return html`<h4 class="label">${w('parameters')}</h4>
    ${parameters.length ? html`<dl class="parameters">${parameters.map((p) => html`<div key=${p.name}>
      <dt><${Line} text=${p.name} /> ${p.type ? html`<span class="muted"><${Line} text=${p.type} /></span>` : ''}${p.required ? html` <span class="tag">${w('required')}</span>` : ''}</dt>
      ${p.description ? html`<dd><${Line} text=${p.description.replaceAll('\n', ' ')} /></dd>` : ''}</div>`)}</dl>`
    : html`<p class="muted">${w('noParameters')}</p>`}
    ${left > 0 ? html`<p class="muted">${w('moreParameters', { n: left })}</p>` : ''}
    <details class="whole" open=${open} onToggle=${(/** @type {any} */ e) => setOpen(e.currentTarget.open)}>
      <summary>${w('wholeSchema')}</summary>${open ? html`<${SchemaText} schema=${schema} />` : ''}</details>`
}

/** @param {{schema: unknown}} props */
function SchemaText({ schema }) {
  const text = useMemo(() => written(schema), [schema])
  return html`<${Foreign} text=${text} label=${w('wholeSchema')} />`
}

/** As many of the tools as are shown at once, and as one press adds. */
export const PAGE = 50
const ADD = 200

/** @param {{tools: Tool[], open: boolean, most: number, show: (n: number) => void}} props open: each one's definition is shown; most: as many are on the page */
export function ToolList({ tools, open, most, show }) {
  const [query, setQuery] = useState('')
  const wanted = query.trim().toLowerCase()
  const found = useMemo(() => (wanted ? tools.filter((x) => x.name.toLowerCase().includes(wanted) || x.description.toLowerCase().includes(wanted)) : tools), [tools, wanted])
  const shown = found.slice(0, most)
  if (!tools.length) return html`<p class="muted">${w('noTools')}</p>`
  return html`${tools.length > 10 ? html`<input class="filter" type="search" aria-label=${w('filterTools')} placeholder=${w('filterTools')} value=${query}
      onInput=${(/** @type {any} */ e) => setQuery(e.currentTarget.value)} />` : ''}
    <ul class="definitions">${shown.map((tool) => html`<${ToolItem} key=${tool.name} tool=${tool} starts=${open} />`)}</ul>
    ${found.length ? '' : html`<p class="muted" role="status">${w('noMatch')}</p>`}
    ${found.length > most ? html`<button type="button" class="more-tools" onClick=${() => show(most + ADD)}>${w('moreTools', { n: Math.min(ADD, found.length - most) })}</button>` : ''}`
}

/** @param {{tool: Tool, starts: boolean}} props */
function ToolItem({ tool, starts }) {
  const [open, setOpen] = useState(starts)
  return html`<li><details open=${open} onToggle=${(/** @type {any} */ e) => setOpen(e.currentTarget.open)}>
    <summary><strong><${Line} text=${tool.name} /></strong></summary>${open ? html`<${Definition} tool=${tool} />` : ''}</details></li>`
}
