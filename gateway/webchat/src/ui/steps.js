// The place of what an answer does besides speaking. What draws it is a chunk of its
// own: a new chat is there before it.

import { html } from 'htm/preact'
import { chunk } from '../app/chunk.js'
import { stepWords } from '../i18n/dictionaries.js'
import { t } from '../i18n/language.js'

export const stepsPart = chunk(() => Promise.all([import('./cards.js'), stepWords.load()]).then(([part]) => part))

/** @param {'Drawn'|'Plan'|'Summary'} name */
const late = (name) => (/** @type {any} */ props) => {
  const cards = stepsPart.here.value
  if (!cards) {
    stepsPart.want()
    return stepsPart.away.value && name === 'Drawn' ? html`<p class="muted">${t('partAway')} <button type="button" onClick=${() => location.reload()}>${t('reload')}</button></p>` : null
  }
  return html`<${/** @type {any} */ (cards)[name]} ...${props} />`
}
export const Drawn = late('Drawn')
export const Plan = late('Plan')
export const Summary = late('Summary')

/** What a call is about to do, in a few words; '' until the words are here. @param {import('../chat/state.js').Call} call */
export const doing = (call) => stepsPart.here.value?.doing(call) ?? ''
