// An answer's place on the page. What draws its text is a chunk of its own, a third
// of the page: a new chat is there before it.

import { h } from 'preact'
import { signal } from '@preact/signals'

/** When the chunk that could not be fetched is asked for again. */
const AGAIN = 5000

const prose = signal(/** @type {typeof import('./prose.js').Prose|null} */ (null))
/** It could not be fetched: until it can, words are better than nothing. */
const away = signal(false)
/** @type {Promise<void>|undefined} */
let loading

/** Has what draws answers here before there is one. */
export function loadProse() {
  loading ??= import('./prose.js').then((m) => { prose.value = m.Prose }, () => {
    away.value = true
    loading = undefined
    setTimeout(loadProse, AGAIN)
  })
  return loading
}

/** @param {{text: string, growing: boolean}} props */
export function Answer(props) {
  if (prose.value) return h(prose.value, props)
  loadProse()
  return away.value ? h('div', { class: 'prose' }, h('p', { class: 'plain', dir: 'auto' }, props.text)) : null
}
