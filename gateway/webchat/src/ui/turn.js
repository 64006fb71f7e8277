// One turn: what the user said, and the run that answers it.

import { html } from 'htm/preact'
import { Component } from 'preact'
import { useState } from 'preact/hooks'
import { language, t } from '../i18n/language.js'
import { state } from '../app/current.js'
import { choose, copyText, editing, regenerate } from '../app/actions.js'
import { isStale, sendAgain, takeBack } from '../app/sending.js'
import { Answer } from './answer.js'
import { ToolCard } from './tool.js'
import { FaultBox } from './fault.js'
import { Icon } from './icons.js'
import { draft } from './draft.js'

/** @typedef {import('../chat/state.js').State} State */
/** @typedef {import('../chat/state.js').Message} Message */
/** @typedef {{user?: Message, userSiblings: string[], run?: import('../chat/state.js').Run, runSiblings: string[], answers: (Message|undefined)[], lang: string}} Props */

/** What a turn is drawn from. @param {State} s @param {import('../chat/tree.js').Turn} turn @returns {Props} */
export function propsOf(s, turn) {
  const run = s.runs.get(turn.runId)
  const answers = (run?.items ?? []).map((i) => (i.kind === 'answer' ? s.messages.get(i.id) : undefined))
  return { user: s.messages.get(turn.userId), userSiblings: turn.userSiblings, run, runSiblings: turn.runSiblings, answers, lang: language.value }
}

const same = (/** @type {unknown[]} */ a, /** @type {unknown[]} */ b) => a.length === b.length && a.every((x, i) => x === b[i])

/** Drawn again only when something in it changed: a long conversation costs nothing while its last answer grows. */
export class TurnView extends Component {
  /** @param {any} next */
  shouldComponentUpdate(next) {
    const now = /** @type {Props} */ (/** @type {unknown} */ (this.props))
    return next.user !== now.user || next.run !== now.run || next.lang !== now.lang || !same(next.answers, now.answers) ||
      !same(next.userSiblings, now.userSiblings) || !same(next.runSiblings, now.runSiblings)
  }

  render() {
    const { user, userSiblings, run, runSiblings, answers } = /** @type {Props} */ (/** @type {unknown} */ (this.props))
    return html`<div class="turn">
      ${user && html`<${UserBubble} message=${user} siblings=${userSiblings} />`}
      ${run && run.status !== 'waiting' && html`<${RunView} run=${run} siblings=${runSiblings} answers=${answers} />`}
    </div>`
  }
}

/** @param {{message: import('../chat/state.js').Message, siblings: string[]}} props */
function UserBubble({ message, siblings }) {
  return html`<article class="mine" aria-label=${t('you')}>
    <div class="bubble">${message.content}</div>
    <div class="tools">
      ${message.queued ? html`<span class="muted">${t('queued')}</span>` : ''}
      <${BranchPicker} ids=${siblings} shown=${message.id} leaf=${(/** @type {string} */ id) => id} />
      <button type="button" class="ghost" title=${t('edit')} aria-label=${t('edit')}
        onClick=${() => { editing.value = message; draft.value = message.content }}><${Icon} name="edit" /></button>
    </div>
  </article>`
}

/** @param {{run: import('../chat/state.js').Run, siblings: string[], answers: (Message|undefined)[]}} props */
function RunView({ run, siblings, answers }) {
  const texts = answers.flatMap((m) => (m ? [m.content] : []))
  const over = run.status !== 'running'
  return html`<article class="theirs" aria-label=${t('agent')} aria-busy=${!over}>
    ${run.items.map((i, n) => (i.kind === 'call'
      ? html`<${ToolCard} key=${'c' + i.call.callId} call=${i.call} />`
      : html`<${AnswerView} key=${'a' + i.id} message=${answers[n]} />`))}
    ${!over && run.items.at(-1)?.kind !== 'answer' && !asksNow(run) ? html`<div class="dots" aria-hidden="true"><i></i><i></i><i></i></div>` : ''}
    <${RunEnd} run=${run} />
    ${over ? html`<div class="tools">
      <${BranchPicker} ids=${siblings} shown=${run.id} leaf=${(/** @type {string} */ id) => lastMessage(state.peek(), id)} />
      ${texts.length ? html`<${CopyButton} text=${texts.join('\n\n')} />` : ''}
      ${run.userId ? html`<button type="button" class="ghost" title=${t('regenerate')} aria-label=${t('regenerate')}
        onClick=${() => regenerate(run.userId)}><${Icon} name="again" /></button>` : ''}
    </div>` : ''}
  </article>`
}

/** @param {import('../chat/state.js').Run} run */
const asksNow = (run) => run.items.some((i) => i.kind === 'call' && i.call.state === 'approval')

/** @param {{message?: import('../chat/state.js').Message}} props */
function AnswerView({ message }) {
  if (!message) return null
  return html`<${Answer} text=${message.content} growing=${message.open} />
    ${message.incomplete ? html`<p class="muted">… ${t('incomplete')}</p>` : ''}`
}

/** @param {{run: import('../chat/state.js').Run}} props */
function RunEnd({ run }) {
  if (run.status === 'cancelled') return html`<p class="muted">${t('runCancelled')}</p>`
  const again = html`<button type="button" onClick=${() => regenerate(run.userId)}>${t('retry')}</button>`
  if (run.status === 'interrupted') return html`<${FaultBox} quiet fault=${run.error ?? { error: t('runInterrupted') }} actions=${again} />`
  if (run.status === 'failed') return html`<${FaultBox} quiet title=${t('runFailed')} fault=${run.error ?? {}} actions=${again} />`
  return null
}

/** @param {State} s @param {string} runId a message that stands for the run */
function lastMessage(s, runId) {
  const answer = s.runs.get(runId)?.items.findLast((i) => i.kind === 'answer')
  return answer?.kind === 'answer' ? answer.id : ''
}

/** @param {{ids: string[], shown: string, leaf: (id: string) => string}} props */
function BranchPicker({ ids, shown, leaf }) {
  if (ids.length < 2) return null
  const at = ids.indexOf(shown)
  /** @param {number} to @param {'left'|'right'} icon @param {string} label */
  const arrow = (to, icon, label) => html`<button type="button" class="ghost" aria-label=${label} title=${label}
    disabled=${!ids[to] || !leaf(ids[to])} onClick=${() => choose(leaf(ids[to]))}><${Icon} name=${icon} /></button>`
  return html`<span class="branches" role="group" aria-label=${t('branch', { n: at + 1, total: ids.length })}>
    ${arrow(at - 1, 'left', t('previous'))}<span aria-hidden="true">${at + 1}/${ids.length}</span>${arrow(at + 1, 'right', t('next'))}
  </span>`
}

/** @param {{text: string}} props */
function CopyButton({ text }) {
  const [done, setDone] = useState(false)
  const copy = async () => {
    setDone(await copyText(text))
    setTimeout(() => setDone(false), 1500)
  }
  const label = done ? t('copied') : t('copyAnswer')
  return html`<button type="button" class="ghost" title=${label} aria-label=${label} onClick=${copy}>
    <${Icon} name=${done ? 'check' : 'copy'} /></button>`
}

/** A message that the server has not acknowledged. @param {{parcel: import('../chat/outbox.js').Parcel}} props */
export function ParcelView({ parcel }) {
  const stale = isStale(parcel)
  const stuck = parcel.refused || stale
  const actions = html`
    <button type="button" onClick=${() => sendAgain(parcel.key)}>${t('sendAgain')}</button>
    <button type="button" onClick=${() => { draft.value = takeBack(parcel.key) }}>${t('discard')}</button>`
  return html`<div class="turn"><article class="mine pending" aria-label=${t('you')}>
    <div class="bubble">${parcel.message}</div>
    ${stuck
      ? html`<${FaultBox} title=${t('notSent')} fault=${parcel.refused ?? { error: t('tooOld') }} actions=${actions} />`
      : html`<div class="tools always"><span class="muted">${t('sending')}</span></div>`}
  </article></div>`
}
