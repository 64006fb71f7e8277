// Markdown to an HTML string: the same tree that the page draws, as text. Raw
// HTML in it is shown as text, remote images as links.

import { t } from '../i18n/language.js'
import { AnswerText } from './answer.js'
import { escape, serialize } from './nodes.js'

export { escape } from './nodes.js'
export { outward } from './links.js'

/** @param {import('./nodes.js').Code} code */
export function codeToHTML({ code, lang }) {
  const mark = lang ? ` class="language-${escape(lang)}"` : ''
  return `<div class="code"><div class="code-head"><span>${escape(lang)}</span>` +
    `<button type="button" data-copy="code">${escape(t('copy'))}</button></div>` +
    `<pre tabindex="0"><code${mark}>${escape(code)}\n</code></pre></div>`
}

/** @param {string} text @param {boolean} [growing] @returns {string} */
export function toHTML(text, growing = false) {
  const { blocks, notes } = new AnswerText().draw(text, growing)
  return [...blocks.map((b) => serialize(b.nodes, codeToHTML)), serialize(notes, codeToHTML)].filter(Boolean).join('\n')
}
