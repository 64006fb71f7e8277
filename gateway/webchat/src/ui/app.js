// The page as a whole.

import { html } from 'htm/preact'
import { t } from '../i18n/language.js'
import { phase } from '../app/account.js'
import { view } from '../app/route.js'
import { Sidebar } from './sidebar.js'
import { Header } from './header.js'
import { Log } from './log.js'
import { Composer } from './composer.js'
import { Login } from './login.js'
import { Help } from './help.js'
import { Place } from './place.js'
import { Toast } from './toast.js'
import { hideList, listCovers, listShown } from './rail.js'

export function App() {
  if (phase.value !== 'in') return html`<${Login} />`
  const talks = view.value === 'chat'
  const to = talks ? 'composer' : 'place'
  return html`<div class=${listShown.value ? 'page' : 'page unlisted'}>
    <a class="skip" href=${'#' + to} onClick=${(/** @type {Event} */ e) => { e.preventDefault(); document.getElementById(to)?.focus() }}>${t(talks ? 'skip' : 'skipContent')}</a>
    <${Sidebar} />
    ${listCovers.value ? html`<div class="shade" onClick=${hideList}></div>` : ''}
    <main inert=${listCovers.value}>
      <${Header} />
      ${talks ? html`<${Log} /><${Composer} />` : html`<${Place} />`}
    </main>
    <${Toast} />
    <${Help} />
  </div>`
}
