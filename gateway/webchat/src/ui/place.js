// A place of the page that is no conversation. What draws it is a chunk of its own.

import { h } from 'preact'
import { html } from 'htm/preact'
import { signal } from '@preact/signals'
import { t } from '../i18n/language.js'
import { FaultBox } from './fault.js'
import { placeTitle } from './header.js'

const panels = signal(/** @type {typeof import('../panels/panels.js').Panels|null} */ (null))
/** It could not be fetched. */
const away = signal(false)
/** @type {Promise<void>|undefined} */
let loading

function load() {
  away.value = false
  loading ??= import('../panels/panels.js').then((m) => { panels.value = m.Panels }, () => {
    away.value = true
    loading = undefined
  })
}

export function Place() {
  if (!panels.value && !away.value) load()
  return html`<section id="place" class="panel" tabindex="-1" aria-label=${placeTitle()}><div class="column">${panels.value ? h(panels.value, null) : away.value
    ? html`<${FaultBox} fault=${{ code: 'network' }} actions=${html`<button type="button" onClick=${load}>${t('retry')}</button>`} />`
    : html`<p class="muted" role="status">${t('placeComing')}</p>`}</div></section>`
}
