// Who are you?

import { html } from 'htm/preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { switchLanguage, t } from '../i18n/language.js'
import { enterToken, loginFault, phase, probe, trouble } from '../app/account.js'
import { Bear } from './icons.js'
import { FaultBox } from './fault.js'

export function Login() {
  if (phase.value === 'working') return html`<main class="login"><p class="muted" role="status">${t('loginWorking')}</p></main>`
  if (phase.value === 'unreachable') return html`<main class="login"><div class="card">
    <h1><${Bear} /> ${t('app')}</h1>
    <${FaultBox} fault=${loginFault.value ?? {}} actions=${html`<button type="button" class="primary" onClick=${probe}>${t('retry')}</button>`} />
  </div></main>`
  return html`<${TokenForm} />`
}

function TokenForm() {
  const [token, setToken] = useState('')
  const why = trouble.value
  const fault = loginFault.value
  const field = useRef(/** @type {HTMLInputElement|null} */ (null))
  useEffect(() => field.current?.focus(), [])
  return html`<main class="login"><form class="card" onSubmit=${(/** @type {Event} */ e) => { e.preventDefault(); if (token.trim()) enterToken(token.trim()) }}>
    <h1><${Bear} /> ${t('loginTitle')}</h1>
    <p>${t('loginText')}</p>
    <label>${t('loginToken')}<input ref=${field} type="password" autocomplete="current-password" aria-describedby="where" value=${token}
      onInput=${(/** @type {any} */ e) => setToken(e.currentTarget.value)} /></label>
    <p class="muted" id="where">${t('loginWhere')} <code>LOONGCLAW_TOKENS</code></p>
    ${why ? html`<${FaultBox} fault=${told(why, fault)} />` : ''}
    <div class="row"><button type="submit" class="primary">${t('loginTitle')}</button>
      <button type="button" onClick=${switchLanguage}>${t('language')}</button></div>
  </form></main>`
}

/**
 * The page knows better than a code what a sign-in that failed means; but for a
 * limit, or a server that is away, the error speaks for itself.
 * @param {import('../i18n/language.js').Key} why @param {import('../wire/fault.js').Fault|null} fault
 */
const told = (why, fault) => (fault?.passing ? fault : { error: t(why), requestId: fault?.requestId })
