// The places of the page that are no conversation: tools and skills, what waits for
// a decision, settings.

import { html } from 'htm/preact'
import { useEffect, useLayoutEffect } from 'preact/hooks'
import { part, view } from '../app/route.js'
import { placeTitle } from '../ui/header.js'
import { keepFocus } from '../ui/keep.js'
import { NeedsPage } from './needs.js'
import { ServerPage } from './server.js'
import { SettingsPage } from './settings.js'
import { SkillPage } from './skill.js'
import { removing, undoRemove, watchTools } from './state.js'
import { ToolsPage } from './tools.js'
import { w } from './words.js'

export function Panels() {
  const now = view.value
  return html`<section id="place" class="panel" tabindex="-1" aria-label=${placeTitle()}><div class="column">
    ${now === 'needs' ? html`<${NeedsPage} />` : now === 'settings' ? html`<${SettingsPage} />` : html`<${Tools} />`}</div></section>`
}

function Tools() {
  useEffect(watchTools, [])
  const name = part.value
  // Another page begins at its top.
  useLayoutEffect(() => document.getElementById('place')?.scrollTo(0, 0), [name, view.value])
  return html`${view.value === 'skill' ? html`<${SkillPage} key=${name} name=${name} />` : name ? html`<${ServerPage} key=${name} name=${name} />` : html`<${ToolsPage} />`}
    <${Undo} />`
}

/** The way back from a removal. */
function Undo() {
  const gone = removing.value
  const undo = () => {
    undoRemove()
    keepFocus('#place')
  }
  return gone ? html`<div class="toast" role="status"><span>${w('removedSoon', { name: gone.name })}</span>
    <button type="button" id="undo-remove" onClick=${undo}>${w('undo')}</button></div>` : null
}
