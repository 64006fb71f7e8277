// The places of the page that are no conversation: tools and skills, what waits for
// a decision, settings.

import '../base.js'
import { html } from 'htm/preact'
import { useEffect, useLayoutEffect, useState } from 'preact/hooks'
import { part, view } from '../app/route.js'
import { keepFocus } from '../ui/keep.js'
import { NeedsPage } from './needs.js'
import { ServerPage } from './server.js'
import { SettingsPage } from './settings.js'
import { SkillPage } from './skill.js'
import { endingOf } from './standing.js'
import { removing, undoRemove, watchTools } from './state.js'
import { ToolsPage } from './tools.js'
import { t } from '../i18n/language.js'
import { w } from './words.js'

export function Panels() {
  const now = view.value
  return now === 'needs' ? html`<${NeedsPage} />` : now === 'settings' ? html`<${SettingsPage} />` : html`<${Tools} />`
}

function Tools() {
  useEffect(watchTools, [])
  const name = part.value
  // Another page begins at its top.
  useLayoutEffect(() => document.getElementById('place')?.scrollTo(0, 0), [name, view.value])
  return html`<${Ending} />${view.value === 'skill' ? html`<${SkillPage} key=${name} name=${name} />` : name ? html`<${ServerPage} key=${name} name=${name} />` : html`<${ToolsPage} />`}
    <${Undo} />`
}

/** What the address says of an authorization that ended: said once. */
function Ending() {
  const [said, say] = useState(() => ({ key: endingOf(location.search), name: part.peek() }))
  useEffect(() => { if (location.search) history.replaceState(history.state, '', location.pathname) }, [])
  useEffect(() => { if (part.value !== said.name) say({ key: '', name: part.value }) }, [part.value])
  return said.key && said.name === part.value ? html`<p class="said" role="status">${w(said.key)}</p>` : null
}

/** The way back from a removal. */
function Undo() {
  const gone = removing.value
  const undo = () => {
    undoRemove()
    keepFocus('#place')
  }
  return gone ? html`<div class="toast" role="status"><span>${w('removedSoon', { name: gone.name })}</span>
    <button type="button" id="undo-remove" onClick=${undo}>${t('undo')}</button></div>` : null
}
