// The page as a whole.

import { html } from 'htm/preact'
import { t } from '../i18n/language.js'
import { phase } from '../app/account.js'
import { offlineModel } from '../app/actions.js'
import { Sidebar, listOpen } from './sidebar.js'
import { Header } from './header.js'
import { Log } from './log.js'
import { Composer } from './composer.js'
import { Login } from './login.js'
import { Help } from './help.js'

export function App() {
  if (phase.value !== 'in') return html`<${Login} />`
  return html`<div class="page">
    <a class="skip" href="#composer" onClick=${(/** @type {Event} */ e) => { e.preventDefault(); document.getElementById('composer')?.focus() }}>${t('skip')}</a>
    <${Sidebar} />
    ${listOpen.value ? html`<div class="shade" onClick=${() => { listOpen.value = false }}></div>` : ''}
    <main>
      <${Header} />
      ${offlineModel.value ? html`<p class="banner">${t('offlineModel')}</p>` : ''}
      <${Log} />
      <${Composer} />
    </main>
    <${Help} />
  </div>`
}
