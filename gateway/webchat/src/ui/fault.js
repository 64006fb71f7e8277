// An error in its place: what happened, what to do next, which request.

import { html } from 'htm/preact'
import { t } from '../i18n/language.js'
import { said } from '../i18n/said.js'
import { useNow } from './now.js'

/**
 * @param {{fault: {message?: string, error?: string, hint?: string, code?: string, requestId?: string, until?: number}, title?: string,
 *   actions?: unknown, quiet?: boolean}} props
 */
export function FaultBox({ fault, title, actions, quiet }) {
  const { text, next, detail } = said(fault)
  return html`<div class="fault" role=${quiet ? undefined : 'alert'}>
    <p class="fault-text">${title ? html`<strong>${title}</strong> ` : ''}${text}</p>
    ${next ? html`<p class="fault-hint">${next}</p>` : ''}
    <${Until} until=${fault.until ?? 0} />
    ${detail ? html`<p class="fault-detail" dir="auto">${detail}</p>` : ''}
    ${fault.requestId ? html`<p class="fault-id">${t('requestId', { id: fault.requestId })}</p>` : ''}
    ${actions ? html`<div class="row">${actions}</div>` : ''}
  </div>`
}

/** When it may be tried again; the seconds are not announced. @param {{until: number}} props */
function Until({ until }) {
  const s = Math.ceil((until - useNow(until)) / 1000)
  return s > 0 ? html`<p class="fault-hint" aria-live="off">${t('againIn', { s })}</p>` : null
}
