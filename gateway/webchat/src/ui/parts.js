// Text whose odd signs are escapes (chat/exact.js, chat/tame.js), as nodes.

import { html } from 'htm/preact'

/** @param {readonly import('../chat/exact.js').Part[]} parts */
export const drawn = (parts) => parts.map((part) => ('text' in part ? part.text
  : 'word' in part ? html`<bdi>${part.word}</bdi>` : html`<span class="escape">${part.escape}</span>`))
