// The place of what an answer does besides speaking. What draws it is a chunk of its
// own: a new chat is there before it.

import { html } from 'htm/preact'
import { signal } from '@preact/signals'
import { t } from '../i18n/language.js'

/** When the chunk that could not be fetched is asked for again. */
const AGAIN = 5000

const cards = signal(/** @type {typeof import('./cards.js')|null} */ (null))
/** It could not be fetched: a server of another version may no longer have it. */
const away = signal(false)
/** @type {Promise<void>|undefined} */
let loading

/** Has it here before there is something to draw. */
export function loadSteps() {
  loading ??= import('./cards.js').then((m) => { cards.value = m }, () => {
    away.value = true
    loading = undefined
    setTimeout(loadSteps, AGAIN)
  })
  return loading
}

/** @param {'Drawn'|'Plan'|'Summary'} name */
const late = (name) => (/** @type {any} */ props) => {
  if (!cards.value) {
    loadSteps()
    return away.value && name === 'Drawn' ? html`<p class="muted">${t('partAway')} <button type="button" onClick=${() => location.reload()}>${t('reload')}</button></p>` : null
  }
  return html`<${/** @type {any} */ (cards.value)[name]} ...${props} />`
}
export const Drawn = late('Drawn')
export const Plan = late('Plan')
export const Summary = late('Summary')

/** What a call is about to do, in a few words; '' until the words are here. @param {import('../chat/state.js').Call} call */
export const doing = (call) => cards.value?.doing(call) ?? ''
