// An answer's text. Each top-level block is a component of its own that changes
// only when its source does.

import { Component } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { html } from 'htm/preact'
import { definitions, Splitter } from '../text/blocks.js'
import { toHTML } from '../text/markdown.js'
import { sanitize } from '../text/sanitize.js'
import { mend } from '../text/mend.js'
import { highlightIn } from '../text/highlight.js'
import { language } from '../i18n/language.js'

/** @param {{text: string, growing: boolean}} props */
export function Answer({ text, growing }) {
  const splitter = useRef(/** @type {Splitter|null} */ (null))
  splitter.current ??= new Splitter()
  const clean = text.replace(/\r\n?/g, '\n')
  const blocks = splitter.current.split(clean, growing)
  const defs = clean.includes(']:') ? definitions(clean) : ''
  return html`<div class="prose">
    ${blocks.map((b, i) => html`<${Block} key=${i} raw=${b.raw} open=${b.open} defs=${defs} lang=${language.value} />`)}
  </div>`
}

class Block extends Component {
  /** @param {any} next */
  shouldComponentUpdate(next) {
    const now = /** @type {any} */ (this.props)
    return next.raw !== now.raw || next.open !== now.open || next.defs !== now.defs || next.lang !== now.lang
  }

  render() {
    return html`<${BlockHTML} ...${this.props} />`
  }
}

/** @param {{raw: string, open: boolean, defs: string}} props */
function BlockHTML({ raw, open, defs }) {
  const ref = useRef(/** @type {HTMLDivElement|null} */ (null))
  useLayoutEffect(() => {
    const el = /** @type {HTMLDivElement} */ (ref.current)
    const source = open ? mend(raw) : raw
    el.innerHTML = sanitize(toHTML(defs && !raw.includes('```') ? `${source}\n\n${defs}` : source))
    if (!open) highlightIn(el)
  })
  return html`<div class="block" ref=${ref}></div>`
}
