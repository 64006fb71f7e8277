// The place of what an answer does besides speaking. What draws it is a chunk of its
// own: a new chat is there before it.

import { html } from 'htm/preact'
import { signal } from '@preact/signals'

/** When the chunk that could not be fetched is asked for again. */
const AGAIN = 5000

const cards = signal(/** @type {typeof import('./cards.js')|null} */ (null))
/** @type {Promise<void>|undefined} */
let loading

/** Has it here before there is something to draw. */
export function loadSteps() {
  loading ??= import('./cards.js').then((m) => { cards.value = m }, () => {
    loading = undefined
    setTimeout(loadSteps, AGAIN)
  })
  return loading
}

/** @param {'Drawn'|'Plan'|'Summary'} name */
const late = (name) => (/** @type {any} */ props) => {
  if (!cards.value) {
    loadSteps()
    return null
  }
  return html`<${/** @type {any} */ (cards.value)[name]} ...${props} />`
}
export const Drawn = late('Drawn')
export const Plan = late('Plan')
export const Summary = late('Summary')

/** What a call is about to do, in a few words; '' until the words are here. @param {import('../chat/state.js').Call} call */
export const doing = (call) => cards.value?.doing(call) ?? ''
