// What an answer does besides speaking: steps, questions, thoughts, the plan.

import '../base.js'
import { html } from 'htm/preact'
import { useState } from 'preact/hooks'
import { counted, span, w } from '../i18n/steps.js'
import { short } from '../chat/clip.js'
import { lasted, stepOf, tally } from '../chat/steps.js'
import { Ask } from './ask.js'
import { Card, decisionOf } from './card.js'
import { keepFocus } from './keep.js'
import { plainly, Said } from './said.js'
import { Sign } from './signs.js'
import { Paragraphs, Thought } from './thought.js'

/** @typedef {import('../chat/state.js').Call} Call */
/** @typedef {import('../chat/steps.js').Block} Block */

/** As many steps as are drawn at once. */
const FIRST = 50
/** As much of a summary as is drawn; models are asked for far less. */
const LONGEST = 200_000

/** @param {{block: Block}} props */
export function Drawn({ block }) {
  switch (block.kind) {
    case 'thought': return html`<${Thought} thought=${block.thought} />`
    case 'asks': return html`<${Ask} ...${block} />`
    case 'steps': return html`<${Steps} items=${block.items} calls=${block.calls} />`
    default: return null
  }
}

/** @param {{items: import('../chat/state.js').Item[], calls: Call[]}} props calls in a row; what was thought between them is among the items */
function Steps({ items, calls }) {
  const [open, setOpen] = useState(false)
  const [most, setMost] = useState(FIRST)
  const [first] = calls
  if (calls.length === 1) return html`<${Card} call=${first} />`
  // A second step takes the first one in; who was there stays there.
  if (document.activeElement?.closest('.tool')?.id === `call-${first.callId}`) keepFocus(`[data-steps="${CSS.escape(first.callId)}"] > summary`)
  const running = calls.findLast((c) => c.state === 'running')
  const count = (/** @type {string[]} */ ...states) => calls.filter((c) => states.includes(c.state)).length
  const failed = count('error')
  const denied = count('denied')
  const ms = calls.reduce((sum, c) => sum + lasted(c), 0)
  const decided = calls.map(decisionOf).findLast(Boolean)
  const bad = [failed ? w('failed', { n: failed }) : '', denied ? w('denied', { n: denied }) : ''].filter(Boolean).join(' · ')
  return html`<details class="steps" data-steps=${first.callId} open=${open} onToggle=${(/** @type {Event} */ e) => {
    if (e.target === e.currentTarget) setOpen(/** @type {HTMLDetailsElement} */ (e.currentTarget).open)
  }}>
    <summary><${Sign} kind=${alike(calls)} running=${Boolean(running)} />
      <span class="tool-said">${w('steps', { n: calls.length, what: counted(tally(calls)) })}${running ? html`<span class="steps-now"><${Said} call=${running} /></span>` : ''}${bad ? html`<span class="steps-bad">${bad}</span>` : ''}${decided ? html`<span class="steps-now">${decided}</span>` : ''}</span>
      ${ms >= 1000 && !running ? html`<span class="tool-time">${span(ms)}</span>` : ''}</summary>
    ${open ? html`<div class="steps-body">${items.slice(0, most).map((i) => (i.kind === 'call' ? html`<${Card} key=${'c' + i.call.callId} call=${i.call} />`
      : i.kind === 'thought' ? html`<${Thought} key=${'t' + i.thought.id} thought=${i.thought} />` : null))}
      ${items.length > most ? html`<button type="button" class="show-more" onClick=${() => setMost(most * 4)}>${w('more', { n: items.length - most })}</button>` : ''}</div>` : ''}
  </details>`
}

/** The sign of all of them, if they have one. @param {Call[]} calls */
function alike(calls) {
  const kinds = new Set(calls.map((c) => stepOf(c).kind))
  const [kind] = kinds
  return kinds.size === 1 ? kind : 'tool'
}

/** @param {{items: import('../chat/state.js').Task[]}} props the plan as it is now */
export function Plan({ items }) {
  if (!items.length) return null
  const done = items.filter((i) => i.state === 'done').length
  return html`<section class="plan" aria-label=${w('plan')}>
    <p class="plan-head"><${Sign} kind="plan" />${w('plan')} <span class="muted">${w('planDone', { n: done, of: items.length })}</span></p>
    <ul>${items.slice(0, 50).map(({ text, state }, i) => {
      const known = Object.hasOwn(signs, state) ? state : 'open'
      return html`<li key=${i} class=${`task-${known}`}><span class="task-sign" aria-hidden="true">${signs[known]}</span><span class="unseen">${w(/** @type {import('../i18n/steps.js').Key} */ (`task_${known}`))}: </span><span dir="auto">${short(String(text), 300)}</span></li>`
    })}</ul>
  </section>`
}
/** @type {Record<string, string>} */
const signs = { open: '○', doing: '◐', done: '✓' }

/** @param {{summary: import('../chat/state.js').Summary}} props */
export function Summary({ summary }) {
  const [open, setOpen] = useState(false)
  return html`<details class="summarised" open=${open} onToggle=${(/** @type {Event} */ e) => setOpen(/** @type {HTMLDetailsElement} */ (e.currentTarget).open)}>
    <summary><span>${w('summary')}</span></summary>
    ${open ? html`<div class="thinks-text"><p class="muted">${w('summaryHint')}</p><${Paragraphs} text=${summary.content.slice(0, LONGEST)} /></div>` : ''}
  </details>`
}

/** What is being done, for the line above. @param {Call} call */
export const doing = (call) => plainly(call)
