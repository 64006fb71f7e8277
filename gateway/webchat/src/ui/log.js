// The conversation.

import { html } from 'htm/preact'
import { useEffect, useRef } from 'preact/hooks'
import { t } from '../i18n/language.js'
import { path } from '../chat/tree.js'
import { visible } from '../chat/outbox.js'
import { empty, fetchOlder, link, linkFault, followAgain, older, olderState, state } from '../app/current.js'
import { actionFault, copyText, offlineModel } from '../app/actions.js'
import { parcels } from '../app/letters.js'
import { astray, go, sessionId } from '../app/route.js'
import { say } from '../app/sending.js'
import { removing } from '../app/sessions.js'
import { dismissed, dismiss } from '../app/notices.js'
import { propsOf, TurnView } from './turn.js'
import { ParcelView } from './parcel.js'
import { FaultBox } from './fault.js'
import { Bear, Icon } from './icons.js'
import { farFromEnd, useScroll } from './scroll.js'
import { useStretch } from './stretch.js'
import { keptView } from './view.js'

export function Log() {
  const box = useRef(/** @type {HTMLElement|null} */ (null))
  const s = state.value
  const gone = removing.value
  const clearing = gone?.what === 'history' && gone.session.id === sessionId.value
  const turns = clearing ? [] : path(s)
  const pending = clearing ? [] : visible(parcels.value, s)
  const next = pending.find((p) => !p.messageId)
  const planned = turns.findLast((turn) => s.runs.get(turn.runId)?.todo)
  const name = sessionId.value
  const wanted = useRef('')
  const from = useStretch(turns, name, wanted.current || keptView()?.turn)
  const scroll = useScroll(box, name, parcels.value.at(-1)?.key, `${turns[from]?.userId} ${Boolean(older.value || from)}`, () => {
    if (from === 0 && olderState.peek() === 'idle') fetchOlder()
  })
  // The place to which somebody came back may be further up than what is here.
  useEffect(() => {
    wanted.current = scroll.current?.wants() ?? ''
    if (!wanted.current || !s.cursor || turns.some((turn) => turn.userId === wanted.current)) return
    if (older.value && olderState.value !== 'failed') fetchOlder()
    else scroll.current?.giveUp()
  })
  return html`<div class="log-frame">
    <div class="log" ref=${box} onClick=${copyClick} role="log" aria-live="off" aria-label=${t('conversation')} tabindex="0">
      <div class="column">
        ${!turns.length && !pending.length ? html`<${Start} clearing=${clearing} />` : ''}
        ${older.value || from > 0 ? html`<${Older} />` : ''}
        ${turns.slice(from).map((turn, n) => html`<${TurnView} key=${turn.userId} ...${propsOf(s, turn, n === turns.length - from - 1 && !pending.length,
          turn === planned ? s.runs.get(turn.runId)?.todo : !planned && turn === turns.at(-1) ? s.todo : null)} />`)}
        ${pending.map((p) => html`<${ParcelView} key=${p.key} parcel=${p} first=${p === next || Boolean(p.messageId)} />`)}
        <${Faults} />
      </div>
    </div>
    ${farFromEnd.value ? html`<button type="button" class="to-end" aria-label=${t('toBottom')} title=${t('toBottom')} onClick=${() => scroll.current?.toEnd()}><${Icon} name="down" /></button>` : ''}
  </div>`
}

/** What stands above the first turn that is here, always as high. */
function Older() {
  // Those that are here and not drawn yet are on their way, too.
  const now = older.value ? olderState.value : 'fetching'
  return html`<div class="older"><p class="muted" role="status">${now === 'fetching' ? t('olderFetching') : now === 'failed' ? t('olderFailed') : ''}</p>
    ${now === 'fetching' ? '' : html`<button type="button" class="ghost" onClick=${fetchOlder}>${t(now === 'failed' ? 'retry' : 'olderTurns')}</button>`}</div>`
}

/** @param {{clearing: boolean}} props */
function Start({ clearing }) {
  if (astray.value) return html`<div class="missing"><p>${t('noSuchPage')}</p><button type="button" onClick=${() => go('')}>${t('newChat')}</button></div>`
  if (sessionId.value && link.value === 'missing' && !parcels.value.length) {
    return html`<div class="missing"><p>${t('notFound')}</p><button type="button" onClick=${() => go('')}>${t('newChat')}</button></div>`
  }
  if (!empty.value && !clearing) return null
  const tries = /** @type {const} */ (['try1', 'try2', 'try3'])
  return html`<div class="welcome">
    <${Bear} />
    <h2>${t('welcome')}</h2>
    <p>${t('welcomeHint')}</p>
    <div class="tries">${tries.map((key) => html`<button type="button" key=${key} onClick=${() => say(t(key))}>${t(key)}</button>`)}</div>
    ${offlineModel.value && !dismissed.value.has('offline') ? html`<div class="notice" role="note"><p>${t('offlineModel')} ${t('offlineModelNext')} <code>GLM_API_KEY=… make run</code></p>
      <button type="button" class="ghost" aria-label=${t('dismiss')} title=${t('dismiss')} onClick=${() => dismiss('offline')}><${Icon} name="close" /></button></div>` : ''}
  </div>`
}

function Faults() {
  const again = html`<button type="button" onClick=${followAgain}>${t('retry')}</button>`
  const done = actionFault.value
  return html`
    ${state.value.error ? html`<${FaultBox} fault=${state.value.error} actions=${html`<button type="button" onClick=${() => { state.value = { ...state.peek(), error: null } }}>${t('dismiss')}</button>`} />` : ''}
    ${linkFault.value ? html`<${FaultBox} fault=${linkFault.value} actions=${again} />` : ''}
    ${done ? html`<${FaultBox} fault=${done.fault} actions=${html`<button type="button" onClick=${done.again}>${t('retry')}</button>
      <button type="button" onClick=${() => { actionFault.value = null }}>${t('dismiss')}</button>`} />` : ''}`
}

/** Copy buttons stand in answers, so their clicks are caught here. @param {MouseEvent} e */
async function copyClick(e) {
  const button = e.target instanceof Element ? e.target.closest('button[data-copy]') : null
  const code = button?.closest('.code')?.querySelector('code')
  if (!button || !code) return
  if (!(await copyText((code.textContent ?? '').replace(/\n$/, '')))) return
  button.textContent = t('copied')
  setTimeout(() => { button.textContent = t('copy') }, 1500)
}
