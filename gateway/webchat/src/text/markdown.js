// Markdown to an HTML string. Raw HTML in it is shown as text, remote images as
// links; what comes out still goes through sanitize.js before it touches the page.

import { Marked } from 'marked'
import { t } from '../i18n/language.js'

/** @param {string} text */
export const escape = (text) =>
  text.replace(/[&<>"']/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }[c] ?? c))

/** @param {string} href @returns {URL|null} only what leads out of this page, in the open */
export function outward(href) {
  let url
  try {
    url = new URL(href)
  } catch {
    return null
  }
  if (!['http:', 'https:', 'mailto:'].includes(url.protocol)) return null
  // A link of ours with a login code would sign its reader in as somebody else.
  if (/^#login=/.test(url.hash)) return null
  return url
}

const inlineImage = /^data:image\/(png|jpeg|gif|webp);base64,[a-z0-9+/=]+$/i

/** @param {string} url @param {string} inner */
const anchor = (url, inner) => `<a href="${escape(url)}" target="_blank" rel="noopener noreferrer nofollow">${inner}</a>`

const marked = new Marked({
  gfm: true,
  renderer: {
    html: ({ text }) => escape(text),
    link({ href, tokens }) {
      const inner = this.parser.parseInline(tokens)
      const url = outward(href)
      return url ? anchor(url.href, inner) : inner
    },
    image({ href, text }) {
      if (inlineImage.test(href)) return `<img src="${escape(href)}" alt="${escape(text)}">`
      const url = outward(href)
      if (!url || url.protocol === 'mailto:') return escape(text)
      const label = escape(`${text ? text + ' · ' : ''}${t('imageBlocked', { host: url.host })} · ${t('imageOpen')}`)
      return anchor(url.href, `<span class="remote-image">${label}</span>`)
    },
    code({ text, lang }) {
      const name = /^[\w+#.-]+/.exec(lang ?? '')?.[0] ?? ''
      const mark = name ? ` class="language-${escape(name)}"` : ''
      return `<div class="code"><div class="code-head"><span>${escape(name)}</span>` +
        `<button type="button" data-copy="code">${escape(t('copy'))}</button></div>` +
        `<pre tabindex="0"><code${mark}>${escape(text)}\n</code></pre></div>`
    },
    table(token) {
      const cell = (/** @type {any} */ c, /** @type {string} */ tag) => `<${tag}${c.align ? ` class="align-${c.align}"` : ''}>${this.parser.parseInline(c.tokens)}</${tag}>`
      const row = (/** @type {any[]} */ cells, /** @type {string} */ tag) => `<tr>${cells.map((c) => cell(c, tag)).join('')}</tr>`
      return `<div class="table" tabindex="0"><table><thead>${row(token.header, 'th')}</thead>` +
        `<tbody>${token.rows.map((r) => row(r, 'td')).join('')}</tbody></table></div>`
    },
    checkbox: ({ checked }) => (checked ? '☑ ' : '☐ '),
  },
})

/** @param {string} text @returns {string} HTML that is not yet to be trusted */
export const toHTML = (text) => /** @type {string} */ (marked.parse(text, { async: false }))
