// One server: how it is, what it offers, what is to be decided about it.

import { html } from 'htm/preact'
import { useRef, useState } from 'preact/hooks'
import { following, toolsAddress, visit } from '../app/route.js'
import { navigates } from '../app/account.js'
import { webAddress } from '../text/links.js'
import { FaultBox } from '../ui/fault.js'
import { keepFocus } from '../ui/keep.js'
import { Changes } from './changes.js'
import { PAGE, ToolList } from './definition.js'
import { Line } from './foreign.js'
import { ServerForm } from './form.js'
import { approvable, held, hindrance, stateOf, toneOf } from './standing.js'
import { approveServer, authorizeServer, loadServers, removeSoon, removing, scopes, servers, serversFault } from './state.js'
import { t } from '../i18n/language.js'
import { w } from './words.js'

/** @typedef {import('./standing.js').Server} Server */

/** Definitions of a server that waits for its approval are all open up to here. */
const OPEN = 50

/** @param {{name: string}} props */
export function ServerPage({ name }) {
  const found = servers.value?.find((s) => s.name === name && s !== removing.value)
  const shown = useRef(/** @type {Server|undefined} */ (undefined))
  const [, draw] = useState(0)
  const back = html`<p><a href="/tools" onClick=${following('/tools', () => keepFocus('#place'))}>← ${w('allTools')}</a></p>`
  const trouble = serversFault.value ? html`<${FaultBox} fault=${serversFault.value} actions=${html`<button type="button" onClick=${loadServers}>${w('refresh')}</button>`} />` : ''
  if (!found) return html`${back}${trouble || html`<p role="status">${servers.value ? w('noServer') : t('placeComing')}</p>`}`
  const one = (shown.current = held(shown.current, found))
  const anew = () => {
    shown.current = undefined
    draw((n) => n + 1)
    keepFocus('#place')
  }
  return html`${back}${trouble}
    <${ServerView} server=${one} now=${found} anew=${anew} />`
}

/** How a server is, in words, and what comes next. @param {{server: Server}} props */
function Standing({ server }) {
  const state = stateOf(server)
  return html`<p class="standing" role="status"><span class="tag tag-${toneOf(state)}">${w(state)}</span> ${w(`${state}Next`)}</p>
    ${server.error ? html`<p class="muted">${w('itSays')} <${Line} text=${server.error} /></p>` : ''}`
}

/** Who a server is. @param {{server: Server}} props */
export const Whose = ({ server }) => html`<span class="muted">${w(server.scope === 'instance' ? 'ofInstance' : 'ofYours')} · ${w(server.transport === 'stdio' ? 'overStdio' : 'overHttp')}${server.host
  ? html` · <${Line} text=${server.host} />` : ''}</span>`

/** @param {{server: Server, now: Server, anew: () => void}} props server: as it was read; now: as it is */
function ServerView({ server, now, anew }) {
  const [edits, setEdits] = useState(false)
  const passed = server !== now && server.hash !== now.hash
  return html`<article class="server" aria-labelledby="server-name">
    <h2 id="server-name"><${Line} text=${server.name} /></h2>
    <p><${Whose} server=${server} /></p>
    <${Standing} server=${now} />
    ${now.authorize ? html`<${Authorize} server=${now} />` : ''}
    ${passed ? html`<div class="said again" role="alert"><p>${w('changedAgain')}</p><button type="button" class="primary" onClick=${anew}>${w('lookAnew')}</button></div>` : ''}
    ${server.state === 'changed' ? html`<${Changes} key=${'c' + server.hash} server=${server} />` : ''}
    <${Offers} key=${'o' + server.hash} server=${server} passed=${passed} />
    ${edits ? html`<${ServerForm} server=${now} done=${() => { setEdits(false); keepFocus('[data-does=edit]', '#place') }} />` : html`<${Own} server=${now} edit=${() => setEdits(true)} />`}
  </article>`
}

/** What a server offers, and the button that approves it. @param {{server: Server, passed: boolean}} props */
function Offers({ server, passed }) {
  const [most, setMost] = useState(PAGE)
  const asks = approvable(server)
  const n = server.tools.length
  const decision = asks && !passed ? html`<${Approve} server=${server} hidden=${server.state === 'unapproved' && n > most} />` : ''
  // Of what has changed the changes were read, which stand above; else what is offered is to be read first.
  const early = server.state === 'changed'
  return html`${early ? decision : ''}<section aria-labelledby="offers"><h3 id="offers">${w('toolsOf')} <span class="muted">${n === 1 ? w('oneTool') : w('nTools', { n })}</span></h3>
    ${server.state === 'failed' || (server.state === 'connecting' && !n) ? '' : html`<${ToolList} tools=${server.tools} open=${server.state === 'unapproved' && n <= OPEN} most=${most} show=${setMost} />`}
    ${early ? '' : decision}</section>`
}

/** @param {{server: Server, hidden: boolean}} props hidden: not every tool is on the page */
function Approve({ server, hidden }) {
  const [busy, setBusy] = useState(false)
  const [fault, setFault] = useState(/** @type {import('../wire/fault.js').Fault|null} */ (null))
  const why = hindrance(server, scopes.value)
  const n = server.tools.length
  const approve = async () => {
    setBusy(true)
    const said = await approveServer(server.name, server.hash ?? '')
    setBusy(false)
    setFault(said?.code === 'conflict' ? null : said)
    keepFocus('.again button', '#place')
  }
  return html`<div class="decision" role="group" aria-label=${w('unapproved')}>
    ${hidden ? html`<p>${w('approveUnseen', { n })}</p>` : ''}
    ${server.scope === 'instance' && !why ? html`<p>${w('approveFor')}</p>` : ''}
    <p class="muted">${w('fingerprint')} <code>${(server.hash ?? '').slice(0, 16)}</code></p>
    ${fault ? html`<${FaultBox} fault=${fault} />` : ''}
    ${why ? html`<p id="why-not">${w(why)}</p>` : ''}
    <div class="row"><button type="button" class="primary" disabled=${busy || Boolean(why)} aria-describedby=${why ? 'why-not' : undefined} onClick=${approve}>
      ${busy ? w('approving') : n === 0 ? w('approveNone') : n === 1 ? w('approveOne') : w('approve', { n })}</button></div>
  </div>`
}

/** The way to where the server's authorization is given, which is shown before anybody goes there. @param {{server: Server}} props */
function Authorize({ server }) {
  const [busy, setBusy] = useState(false)
  const [to, setTo] = useState('')
  const [fault, setFault] = useState(/** @type {import('../wire/fault.js').Fault|{error: string}|null} */ (null))
  const why = hindrance(server, scopes.value) || (navigates() ? '' : 'needsCookie')
  const ask = async () => {
    setBusy(true)
    const { location: address, fault: said } = await authorizeServer(server.name)
    setBusy(false)
    if (said) return setFault(said)
    if (!webAddress(address)) return setFault({ error: w('notAnAddress') })
    setFault(null)
    setTo(/** @type {string} */ (address))
    keepFocus('#go-there')
  }
  return html`<div class="decision" role="group" aria-label=${w('wantsAuthorization')}>
    ${fault ? html`<${FaultBox} fault=${fault} />` : ''}
    ${why ? html`<p id="why-not-authorize">${w(why)}</p>` : ''}
    ${to ? html`<p>${w('leadsTo')} <strong><${Line} text=${new URL(to).origin} /></strong></p>
      <div class="row"><a class="button primary" id="go-there" href=${to} rel="noreferrer">${w('goThere')}</a>
        <button type="button" onClick=${() => { setTo(''); keepFocus('[data-does=authorize]') }}>${t('cancel')}</button></div>`
    : html`<div class="row"><button type="button" class="primary" data-does="authorize" disabled=${busy || Boolean(why)} aria-describedby=${why ? 'why-not-authorize' : undefined} onClick=${ask}>
      ${w(busy ? 'authorizing' : 'authorize')}</button></div>`}
  </div>`
}

/** What may be done with a server that is one's own. @param {{server: Server, edit: () => void}} props */
function Own({ server, edit }) {
  if (server.scope !== 'user') return html`<p class="muted">${w('ownersFile')}</p>`
  const why = hindrance(server, scopes.value)
  const remove = () => {
    removeSoon(server)
    visit(toolsAddress(''))
    keepFocus('#undo-remove')
  }
  return html`${why ? html`<p class="muted">${w(why)}</p>` : ''}<div class="row">
    <button type="button" data-does="edit" disabled=${Boolean(why)} onClick=${edit}>${t('edit')}</button>
    <button type="button" class="danger" disabled=${Boolean(why)} onClick=${remove}>${w('remove')}</button></div>`
}
