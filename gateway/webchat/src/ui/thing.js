// What a call is given, shown as the thing itself: a command as a command, a file as
// its lines, an address as an address; JSON only for what nobody here knows.

import { html } from 'htm/preact'
import { useMemo } from 'preact/hooks'
import { w } from '../i18n/steps.js'
import { written } from '../chat/data.js'
import { linesOf } from '../chat/clip.js'
import { argument, stepOf } from '../chat/steps.js'
import { Change } from './change.js'
import { Exact, Rows } from './exact.js'
import { Leading } from './output.js'

/** @typedef {import('../chat/state.js').Call} Call */

/** The argument that is the thing, where it has a form of its own. @type {Record<string, {arg: string, label: import('../i18n/steps.js').Key}>} */
const forms = {
  exec_shell: { arg: 'command', label: 'command' },
  web_fetch: { arg: 'url', label: 'address' },
  memory_save: { arg: 'content', label: 'content' },
}

/** @param {{call: Call, more?: string}} props more: a class for the thing itself */
export function Given({ call, more = '' }) {
  const { name, args } = call
  if (typeof args === 'string') return html`<${Exact} text=${args} label=${w('details')} more=${more} />`
  if (name === 'write_file') return html`<${Content} call=${call} />`
  const form = Object.hasOwn(forms, name) ? forms[name] : undefined
  const text = form ? argument(args, form.arg) : ''
  const { kind, object, full } = stepOf(call)
  if (form && text) {
    return html`${more ? '' : html`<p class="label">${w(form.label)}</p>`}<${Exact} text=${text} label=${w(form.label)} more=${more} first=${more ? 60_000 : 20_000} />
      ${name === 'web_fetch' && !more ? html`<${Leading} address=${text} />` : ''}<${Others} args=${args} but=${form.arg} />`
  }
  if (kind !== 'tool' && object === full) return html`<${Others} args=${args} but="" />`
  return html`<${Data} args=${args} />`
}

/** What else a call is given, one press away. @param {{args: unknown, but: string}} props */
function Others({ args, but }) {
  const n = args && typeof args === 'object' ? Object.keys(args).filter((key) => key !== but).length : 0
  if (n < (but ? 1 : 2)) return null
  return html`<details class="raw"><summary>${w('details')}</summary><${Data} args=${args} /></details>`
}

/** @param {{args: unknown}} props */
function Data({ args }) {
  const text = useMemo(() => written(args), [args])
  if (!args || (typeof args === 'object' && !Object.keys(args).length)) return null
  return html`<${Exact} text=${text} label=${w('details')} json />`
}

/** @param {{call: Call}} props */
function Content({ call }) {
  const [path, content, encoding] = ['path', 'content', 'encoding'].map((name) => argument(call.args, name))
  if (encoding && encoding !== 'utf8' && encoding !== 'utf-8') {
    return html`<p class="label">${w('encoded', { x: encoding.slice(0, 20) })}</p><${Rows} rows=${linesOf(content).map((text) => ({ sign: ' ', text }))} label=${w('content')} />`
  }
  if (!path) return html`<${Data} args=${call.args} />`
  return html`<${Change} approvalId=${call.approvalId} path=${path} content=${content} asks=${call.state === 'approval'} /><${Extra} args=${call.args} />`
}

/** What a file's writing is given besides. @param {{args: unknown}} props */
const Extra = ({ args }) => {
  const more = Object.fromEntries(Object.entries(args ?? {}).filter(([key]) => !['path', 'content', 'encoding'].includes(key)))
  return Object.keys(more).length ? html`<details class="raw"><summary>${w('details')}</summary><${Data} args=${more} /></details>` : null
}
