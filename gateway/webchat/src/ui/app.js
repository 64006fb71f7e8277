// The page as a whole.

import { html } from 'htm/preact'
import { t } from '../i18n/language.js'
import { phase } from '../app/account.js'
import { Sidebar } from './sidebar.js'
import { Header } from './header.js'
import { Log } from './log.js'
import { Composer } from './composer.js'
import { Login } from './login.js'
import { Help } from './help.js'
import { Toast } from './toast.js'
import { hideList, listCovers, listShown } from './rail.js'

export function App() {
  if (phase.value !== 'in') return html`<${Login} />`
  return html`<div class=${listShown.value ? 'page' : 'page unlisted'}>
    <a class="skip" href="#composer" onClick=${(/** @type {Event} */ e) => { e.preventDefault(); document.getElementById('composer')?.focus() }}>${t('skip')}</a>
    <${Sidebar} />
    ${listCovers.value ? html`<div class="shade" onClick=${hideList}></div>` : ''}
    <main inert=${listCovers.value}>
      <${Header} />
      <${Log} />
      <${Composer} />
    </main>
    <${Toast} />
    <${Help} />
  </div>`
}
