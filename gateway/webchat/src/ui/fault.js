// An error in its place: what happened, what to do next, which request.

import { html } from 'htm/preact'
import { t } from '../i18n/language.js'

/**
 * @param {{fault: {message?: string, error?: string, hint?: string, code?: string, requestId?: string}, title?: string,
 *   actions?: unknown, quiet?: boolean}} props
 */
export function FaultBox({ fault, title, actions, quiet }) {
  const network = fault.code === 'network'
  const text = network ? t('errorNetwork') : fault.error || fault.message || t('errorUnknown')
  const hint = network ? t('errorNetworkHint') : fault.hint
  return html`<div class="fault" role=${quiet ? undefined : 'alert'}>
    <p class="fault-text">${title ? html`<strong>${title}</strong> ` : ''}${text}</p>
    ${hint ? html`<p class="fault-hint">${hint}</p>` : ''}
    ${fault.requestId ? html`<p class="fault-id">${t('requestId', { id: fault.requestId })}</p>` : ''}
    ${actions ? html`<div class="row">${actions}</div>` : ''}
  </div>`
}
