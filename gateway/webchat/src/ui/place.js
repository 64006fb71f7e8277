// A place of the page that is no conversation. What draws it is a chunk of its own.

import { h } from 'preact'
import { html } from 'htm/preact'
import { chunk } from '../app/chunk.js'
import { view } from '../app/route.js'
import { placeWords } from '../i18n/dictionaries.js'
import { t } from '../i18n/language.js'
import { FaultBox } from './fault.js'
import { placeTitle } from './header.js'

const placesPart = chunk(() => Promise.all([import('../panels/panels.js'), placeWords.load()]).then(([part]) => part.Panels), () => view.peek() !== 'chat')

/** Says that it is on its way, where somebody pressed to see that. */
function again() {
  placesPart.away.value = false
  placesPart.load()
}

export function Place() {
  const Panels = placesPart.here.value
  if (!Panels) placesPart.want()
  return html`<section id="place" class="panel" tabindex="-1" aria-label=${placeTitle()}><div class="column">${Panels ? h(Panels, null) : placesPart.away.value
    ? html`<${FaultBox} fault=${{ code: 'network' }} actions=${html`<button type="button" onClick=${again}>${t('retry')}</button>`} />`
    : html`<p class="muted" role="status">${t('placeComing')}</p>`}</div></section>`
}
