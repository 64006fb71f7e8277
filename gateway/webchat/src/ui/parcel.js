// A message that the server has not acknowledged: what it waits for, and the ways out.

import { html } from 'htm/preact'
import { t } from '../i18n/language.js'
import { said } from '../i18n/said.js'
import { allUploaded } from '../chat/attachment.js'
import { giveBackFiles } from '../app/attached.js'
import { edit, keptAgain } from '../app/edits.js'
import { state } from '../app/current.js'
import { outbox } from '../app/letters.js'
import { address, go, sessionId } from '../app/route.js'
import { holds, isStale, sendAgain, sendNow, takeBack } from '../app/sending.js'
import { sessions } from '../app/sessions.js'
import { giveBack } from './draft.js'
import { FaultBox } from './fault.js'
import { ParcelFiles } from './files.js'
import { Folded } from './fold.js'
import { keepFocus } from './keep.js'
import { secondsTo, useNow } from './now.js'
import { online } from './status.js'

/** @typedef {import('../chat/outbox.js').Parcel} Parcel */

/** @param {Parcel} parcel */
function back({ key }) {
  const parcel = takeBack(key)
  if (!parcel) return
  const files = parcel.attachments ?? []
  if (parcel.edits && state.peek().messages.has(parcel.edits)) {
    edit(parcel.edits, parcel.message)
    keptAgain(parcel.edits, files)
  } else {
    giveBack(parcel.message)
    giveBackFiles(files)
  }
  keepFocus('#composer')
}

/** @param {{parcel: Parcel, first: boolean}} props first: the others wait behind it */
export function ParcelView({ parcel, first }) {
  const stuck = parcel.refused || isStale(parcel)
  const actions = html`
    <button type="button" onClick=${() => sendAgain(parcel.key)}>${t('sendAgain')}</button>
    <button type="button" onClick=${() => back(parcel)}>${t('discard')}</button>`
  return html`<div class="turn"><article class="mine pending" aria-label=${t('you')}>
    <${Folded} text=${parcel.message} />
    <${ParcelFiles} files=${parcel.attachments} />
    ${stuck ? html`<${FaultBox} title=${t('notSent')} fault=${parcel.refused ?? { error: t('tooOld') }} actions=${actions} />`
      : html`<${Waiting} parcel=${parcel} first=${first} />`}
    ${outbox.held.some((p) => p.key === parcel.key) ? html`<p class="muted">${t('unkept')}</p>` : ''}
  </article></div>`
}

/** @param {{parcel: Parcel, first: boolean}} props */
function Waiting({ parcel, first }) {
  const hold = holds.value.get(parcel.sessionId)
  useNow(hold?.until ?? 0)
  if (!first) return html`<p class="muted" role="status">${t('behind')}</p>`
  if (!online.value) return html`<p class="muted" role="status">${t('keptOffline')}</p>`
  if (!allUploaded(parcel.attachments ?? [])) {
    return html`<div class="hold"><p role="status">${t('uploadingFirst')}</p>
      <div class="row"><button type="button" onClick=${() => back(parcel)}>${t('discard')}</button></div></div>`
  }
  if (!hold) return html`<p class="muted">${t(parcel.messageId ? 'sent' : 'sending')}</p>`
  const { fault } = hold
  const { text, detail } = said(fault)
  const calm = fault.code === 'draining'
  return html`<div class="hold">
    <p role="status">${text} ${t(reasons[fault.code] ?? 'sentByItself')}</p>
    ${calm ? '' : html`<p class="muted" aria-hidden="true">${t('nextTry', { s: secondsTo(hold.until) })}</p>
      ${fault.code === 'too_many_runs' ? html`<${Running} />` : ''}
      ${detail ? html`<p class="fault-detail" dir="auto">${detail}</p>` : ''}
      <div class="row"><button type="button" onClick=${() => sendNow(parcel.sessionId)}>${t('tryNow')}</button>
        <button type="button" onClick=${() => back(parcel)}>${t('discard')}</button></div>`}
  </div>`
}

/** When a message that waits is sent. @type {Record<string, import('../i18n/language.js').Key>} */
const reasons = { too_many_runs: 'sentWhenOneEnds', session_busy: 'sentWhenAnswered', rate_limited: 'sentWhenAllowed' }

/** Where answers are running, as far as the list says so. */
function Running() {
  const rows = sessions.value.filter((s) => (s.state === 'running' || s.state === 'waiting') && s.id !== sessionId.value)
  if (!rows.length) return null
  return html`<p>${t('runningIn')} ${rows.map((s) => html`<a key=${s.id} href=${address(s.id)}
    onClick=${(/** @type {MouseEvent} */ e) => { e.preventDefault(); go(s.id) }}>${s.title || t('untitled')}</a> `)}</p>`
}
