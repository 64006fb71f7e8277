// One step of an answer: a sentence, and on a press what it was given and what came of it.

import { html } from 'htm/preact'
import { useMemo, useState } from 'preact/hooks'
import { locale } from '../i18n/language.js'
import { span, w } from '../i18n/steps.js'
import { exitOf, reasonOf } from '../chat/results.js'
import { lasted, stepOf } from '../chat/steps.js'
import { tamed } from '../chat/tame.js'
import { useNow } from './now.js'
import { Output } from './output.js'
import { Said } from './said.js'
import { Sign } from './signs.js'
import { Given } from './thing.js'

/** @typedef {import('../chat/state.js').Call} Call */

/** Shorter than this nobody asks how long. */
const WORTH_TELLING = 1000

/** @param {string} at */
const clock = (at) => new Date(at).toLocaleTimeString(locale(), { hour: '2-digit', minute: '2-digit' })

/** @param {{startedAt: string, endedAt: string, running: boolean}} props seconds are not announced */
function Time({ startedAt, endedAt, running }) {
  const now = useNow(running ? Infinity : 0)
  const ms = lasted({ startedAt, endedAt }, running ? now : 0)
  return ms >= WORTH_TELLING ? html`<span class="tool-time" aria-hidden=${running}>${span(ms)}</span>` : null
}

/** @param {{call: Call}} props */
export function Card({ call }) {
  const [open, setOpen] = useState(false)
  const { kind } = stepOf(call)
  const running = call.state === 'running'
  // Who denied it knows why.
  const bad = call.state === 'error' || (call.state === 'denied' && call.decision !== 'deny')
  const reason = useMemo(() => (bad ? tamed(reasonOf(call)) : ''), [call])
  const exit = useMemo(() => exitOf(call), [call])
  return html`<div class="tool tool-${call.state}" id=${'call-' + call.callId}>
    <details open=${open} onToggle=${(/** @type {Event} */ e) => setOpen(/** @type {HTMLDetailsElement} */ (e.currentTarget).open)}>
      <summary><${Sign} kind=${kind} running=${running} /><span class="tool-said"><${Said} call=${call} />${reason && !open ? html`<span class="tool-reason" dir="auto">${reason}</span>` : ''}${exit ? html`<span class="tool-exit">${w('exit', { n: exit })}</span>` : ''}</span><${Time} startedAt=${call.startedAt} endedAt=${call.endedAt} running=${running} /></summary>
      ${open ? html`<div class="tool-body"><${Given} call=${call} />${running ? '' : html`<${Output} call=${call} />`}</div>` : ''}
    </details>
    <${Decided} call=${call} />
  </div>`
}

/** What somebody decided about it, and when. @param {{call: Call}} props */
function Decided({ call }) {
  const said = decisionOf(call)
  return said ? html`<p class="tool-trace">${said}</p>` : null
}

/** The same in words; '' where nobody was asked. @param {Call} call */
export function decisionOf({ decision, decidedAt, expiresAt }) {
  if (!Object.hasOwn(traces, decision)) return ''
  const late = decision === 'deny' && decidedAt && expiresAt && Date.parse(decidedAt) >= Date.parse(expiresAt)
  return w(late ? 'expired' : traces[decision]) + (decidedAt && !late ? ` · ${clock(decidedAt)}` : '')
}
/** @type {Record<string, import('../i18n/steps.js').Key>} */
const traces = { once: 'allowed_once', turn: 'allowed_turn', session: 'allowed_session', remember_7d: 'allowed_remember_7d', deny: 'allowed_deny' }
