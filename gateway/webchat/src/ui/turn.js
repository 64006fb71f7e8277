// One turn: what the user said, and the run that answers it.

import { html } from 'htm/preact'
import { Component } from 'preact'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { language, t } from '../i18n/language.js'
import { state } from '../app/current.js'
import { asks, ending } from '../chat/state.js'
import { blocksOf } from '../chat/steps.js'
import { bytes, size } from '../chat/bytes.js'
import { choose, copyText, maxMessage, regenerate } from '../app/actions.js'
import { edit, edits, endEdit } from '../app/edits.js'
import { say } from '../app/sending.js'
import { Answer } from './answer.js'
import { Drawn, Plan, Summary } from './steps.js'
import { Usage } from './usage.js'
import { FaultBox } from './fault.js'
import { Field } from './field.js'
import { EditedFiles, SentFiles } from './files.js'
import { Folded } from './fold.js'
import { Icon } from './icons.js'
import { keepFocus } from './keep.js'

/** @typedef {import('../chat/state.js').State} State */
/** @typedef {import('../chat/state.js').Message} Message */
/** @typedef {{user?: Message, userSiblings: string[], run?: import('../chat/state.js').Run, runSiblings: string[], answers: (Message|undefined)[],
 *   plan: import('../chat/state.js').Task[]|null, summary?: import('../chat/state.js').Summary, lang: string, last: boolean}} Props */

/**
 * What a turn is drawn from.
 * @param {State} s @param {import('../chat/tree.js').Turn} turn @param {boolean} last
 * @param {import('../chat/state.js').Task[]|null} [plan] the list of the conversation, where this is its place @returns {Props}
 */
export function propsOf(s, turn, last, plan = null) {
  const run = s.runs.get(turn.runId)
  const answers = (run?.items ?? []).map((i) => (i.kind === 'answer' ? s.messages.get(i.id) : undefined))
  const summary = s.summaries.size ? [turn.userId, ...answers.map((m) => m?.id ?? '')].map((id) => s.summaries.get(id)).findLast(Boolean) : undefined
  return { user: s.messages.get(turn.userId), userSiblings: turn.userSiblings, run, runSiblings: turn.runSiblings, answers, plan, summary, lang: language.value, last }
}

const same = (/** @type {unknown[]} */ a, /** @type {unknown[]} */ b) => a.length === b.length && a.every((x, i) => x === b[i])

/** Drawn again only when something in it changed: a long conversation costs nothing while its last answer grows. */
export class TurnView extends Component {
  /** @param {any} next */
  shouldComponentUpdate(next) {
    const now = /** @type {Props} */ (/** @type {unknown} */ (this.props))
    return next.user !== now.user || next.run !== now.run || next.lang !== now.lang || next.last !== now.last ||
      next.plan !== now.plan || next.summary !== now.summary || !same(next.answers, now.answers) ||
      !same(next.userSiblings, now.userSiblings) || !same(next.runSiblings, now.runSiblings)
  }

  render() {
    const { user, userSiblings, run, runSiblings, answers, plan, summary, last } = /** @type {Props} */ (/** @type {unknown} */ (this.props))
    return html`<div class="turn" data-turn=${user?.id}>
      ${user && html`<${UserBubble} message=${user} siblings=${userSiblings} />`}
      ${run && run.status !== 'waiting' && html`<${RunView} run=${run} siblings=${runSiblings} answers=${answers} plan=${plan} last=${last} />`}
      ${summary && html`<${Summary} summary=${summary} />`}
    </div>`
  }
}

/** @param {{message: Message, siblings: string[]}} props */
function UserBubble({ message, siblings }) {
  const text = edits.value[message.id]
  const editing = text !== undefined
  return html`<article class=${editing ? 'mine editing' : 'mine'} aria-label=${t('you')}>
    ${editing ? html`<${Editor} message=${message} text=${text} />` : html`<${Folded} text=${message.content} /><${SentFiles} files=${message.attachments} />`}
    <div class="tools">
      ${message.queued ? html`<span class="muted">${t('queued')}</span>` : ''}
      <${BranchPicker} ids=${siblings} shown=${message.id} leaf=${(/** @type {string} */ id) => id} />
      ${editing ? '' : html`<${CopyButton} text=${message.content} label=${t('copyMessage')} />
        <button type="button" class="ghost" data-edit=${message.id} title=${t('edit')} aria-label=${t('edit')}
          onClick=${() => edit(message.id, message.content)}><${Icon} name="edit" /></button>`}
    </div>
  </article>`
}

/** Another version of a message, in its place. What stands in the composer is another matter. @param {{message: Message, text: string}} props */
function Editor({ message, text }) {
  const box = useRef(/** @type {HTMLTextAreaElement|null} */ (null))
  useLayoutEffect(() => {
    if (document.activeElement === document.body || document.activeElement?.closest('.mine')) box.current?.focus({ preventScroll: true })
  }, [])
  const over = bytes(text) > maxMessage.value
  const close = () => {
    endEdit(message.id)
    keepFocus(`[data-edit="${CSS.escape(message.id)}"]`, '#composer')
  }
  const send = () => {
    if (!text.trim() || over) return
    say(text, { parentId: message.parentId, messageId: message.id })
    endEdit(message.id)
    keepFocus('#composer')
  }
  return html`<div class="editor">
    <p class="muted">${t('editing')}</p>
    <${Field} box=${box} label=${t('edit')} text=${text} change=${(/** @type {string} */ value) => edit(message.id, value)} enter=${send} escape=${close} />
    <${EditedFiles} id=${message.id} files=${message.attachments} />
    ${over ? html`<p class="length over" role="status">${t('tooLong', { n: size(bytes(text)), max: size(maxMessage.value) })}</p>` : ''}
    <div class="row"><button type="button" class="primary" disabled=${!text.trim() || over} onClick=${send}>${t('send')}</button>
      <button type="button" onClick=${close}>${t('cancel')}</button></div>
  </div>`
}

/** @param {{run: import('../chat/state.js').Run, siblings: string[], answers: (Message|undefined)[], plan: Props['plan'], last: boolean}} props */
function RunView({ run, siblings, answers, plan, last }) {
  const texts = answers.flatMap((m) => (m?.content.trim() ? [m.content] : []))
  const over = run.status !== 'running'
  const failed = run.status === 'failed' || run.status === 'interrupted'
  const shown = new Map(answers.flatMap((m) => (m ? [[m.id, m]] : [])))
  const blocks = blocksOf(run.items, (id) => Boolean(shown.get(id)?.open || shown.get(id)?.content.trim() || shown.get(id)?.incomplete))
  // A question stays next to the composer.
  const first = blocks.findIndex((b) => b.kind === 'asks')
  const asked = first < 0 ? blocks.length : first
  const draw = (/** @type {import('../chat/steps.js').Block} */ b) => (b.kind === 'answer'
    ? html`<${AnswerView} key=${'a' + b.id} message=${shown.get(b.id)} />` : html`<${Drawn} key=${keyOf(b)} block=${b} />`)
  return html`<article class="theirs" aria-label=${t('agent')} aria-busy=${!over}>
    ${blocks.slice(0, asked).map(draw)}
    ${plan ? html`<${Plan} key="plan" items=${plan} />` : ''}
    ${blocks.slice(asked).map(draw)}
    ${!over && !showsWork(blocks.at(-1)) && !asks(run) ? html`<div class="dots" aria-hidden="true"><i></i><i></i><i></i></div>` : ''}
    <${RunEnd} run=${run} end=${ending(run, answers)} last=${last} />
    ${over && (texts.length || siblings.length > 1 || !failed) ? html`<div class="tools">
      <${BranchPicker} ids=${siblings} shown=${run.id} leaf=${(/** @type {string} */ id) => lastMessage(state.value, id)} />
      ${texts.length ? html`<${CopyButton} text=${texts.join('\n\n')} label=${t('copyAnswer')} />` : ''}
      ${failed ? '' : html`<button type="button" class="ghost" title=${t('regenerate')} aria-label=${t('regenerate')} onClick=${() => regenerate(run.userId)}><${Icon} name="again" /></button>`}
      <${Usage} run=${run} />
    </div>` : ''}
  </article>`
}

/** Whether one sees of it that something goes on. @param {import('../chat/steps.js').Block|undefined} block */
const showsWork = (block) => block?.kind === 'answer' || block?.kind === 'thought' || (block?.kind === 'steps' && block.calls.some((c) => c.state === 'running'))

/** @param {import('../chat/steps.js').Block} block */
const keyOf = (block) => (block.kind === 'steps' ? `s${block.key}` : block.kind === 'asks' ? `q${block.call.callId}` : block.kind === 'thought' ? `t${block.thought.id}` : '')

/** @param {{message?: Message}} props */
function AnswerView({ message }) {
  if (!message) return null
  return html`<div class="answer" dir="auto"><${Answer} text=${message.content} growing=${message.open} /></div>
    ${message.incomplete ? html`<p class="muted">… ${t('incomplete')}</p>` : ''}`
}

/** What an ending without a fault says and offers: the words for it, and whether going on helps. */
const endings = /** @type {const} */ ({
  cancelled: ['runCancelled', true], length: ['endLength', true], content_filter: ['endFilter', false], refusal: ['endRefusal', false], empty: ['endEmpty', false],
})

/** @param {{run: import('../chat/state.js').Run, end: import('../chat/state.js').Ending, last: boolean}} props */
function RunEnd({ run, end, last }) {
  const again = html`<button type="button" onClick=${() => regenerate(run.userId)}>${t('retry')}</button>`
  if (end === 'interrupted') return html`<${FaultBox} quiet fault=${run.error ?? { error: t('runInterrupted') }} actions=${again} />`
  if (end === 'failed') return html`<${FaultBox} quiet title=${t('runFailed')} fault=${run.error ?? {}} actions=${again} />`
  if (end === 'running' || end === 'whole') return null
  const [key, goes] = endings[end]
  return html`<div class="ended"><p class="muted">${t(key)}</p>
    ${last ? html`<div class="row">${goes ? html`<button type="button" onClick=${() => say(t('goOn'))}>${t('continue')}</button>` : ''}
      ${end === 'cancelled' ? '' : again}</div>` : ''}</div>`
}

/** @param {State} s @param {string} runId @returns {string} a message that stands for the run; a version that is not here is named by one */
function lastMessage(s, runId) {
  if (!s.runs.has(runId)) return runId
  const answer = s.runs.get(runId)?.items.findLast((i) => i.kind === 'answer')
  return answer?.kind === 'answer' ? answer.id : ''
}

/** @param {{ids: string[], shown: string, leaf: (id: string) => string}} props */
function BranchPicker({ ids, shown, leaf }) {
  if (ids.length < 2) return null
  const at = ids.indexOf(shown)
  // The arrow at the end stays where it is, and keeps the focus.
  /** @param {number} to @param {'left'|'right'} icon @param {string} label */
  const arrow = (to, icon, label) => {
    const id = ids[to] ? leaf(ids[to]) : ''
    return html`<button type="button" class="ghost" aria-label=${label} title=${label} aria-disabled=${!id} data-arrow=${icon}
      onClick=${() => { if (id) { choose(id); keepFocus(`[data-fork="${CSS.escape(ids[0])}"] [data-arrow=${icon}]`) } }}><${Icon} name=${icon} /></button>`
  }
  return html`<span class="branches" role="group" data-fork=${ids[0]} aria-label=${t('branch', { n: at + 1, total: ids.length })}>
    ${arrow(at - 1, 'left', t('previous'))}<span aria-hidden="true">${at + 1}/${ids.length}</span>${arrow(at + 1, 'right', t('next'))}
  </span>`
}

/** @param {{text: string, label: string}} props */
function CopyButton({ text, label }) {
  const [done, setDone] = useState(false)
  const copy = async () => {
    setDone(await copyText(text))
    setTimeout(() => setDone(false), 1500)
  }
  const now = done ? t('copied') : label
  return html`<button type="button" class="ghost" title=${now} aria-label=${now} onClick=${copy}>
    <${Icon} name=${done ? 'check' : 'copy'} /></button>`
}
