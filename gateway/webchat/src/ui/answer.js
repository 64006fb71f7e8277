// An answer's place on the page. What draws its text is a chunk of its own, a third
// of the page: a new chat is there before it.

import { h } from 'preact'
import { chunk } from '../app/chunk.js'

export const prosePart = chunk(() => import('./prose.js').then((m) => m.Prose))

/** @param {{text: string, growing: boolean}} props */
export function Answer(props) {
  const Prose = prosePart.here.value
  if (Prose) return h(Prose, props)
  prosePart.want()
  // Until it can be fetched, words are better than nothing.
  return prosePart.away.value ? h('div', { class: 'prose' }, h('p', { class: 'plain', dir: 'auto' }, props.text)) : null
}
