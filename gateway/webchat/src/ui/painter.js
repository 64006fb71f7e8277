// Shows a program that grows: its text at once, its colours line by line behind
// it, in short pieces of work. What was coloured stays as it is, so a selection
// in it lives on.

import { escape } from '../text/nodes.js'
import { Parts } from '../text/parts.js'
import { keepSelection } from './selection.js'

/** How long one piece of work may take, in ms. */
const SLICE = 8
/** Code beyond this stays plain. */
const LONGEST = 200_000

export class Painter {
  code = ''
  lang = ''
  complete = false
  working = false
  parts = new Parts()
  /** @type {import('../text/languages.js').Highlighter|null} */
  highlight = null
  /** Lets its HTML in. @type {(html: string) => string} */
  sanitize = escape
  /** The part that may be replaced, and the text after all parts. */
  pending = document.createElement('span')
  rest = document.createTextNode('')

  /** @param {HTMLElement} el */
  constructor(el) {
    this.el = el
    el.replaceChildren(this.pending, this.rest)
  }

  /** @param {string} code @param {string} lang @param {boolean} complete */
  show(code, lang, complete) {
    if (!code.startsWith(this.code) || lang !== this.lang) this.restart()
    const more = code.slice(this.code.length)
    this.code = code
    this.complete = complete
    if (more) this.rest.appendData(more)
    if (this.lang !== lang) this.load(lang)
    this.lang = lang
    this.work()
  }

  restart() {
    this.code = ''
    this.parts = new Parts()
    this.pending.replaceChildren()
    this.rest.data = ''
    this.el.replaceChildren(this.pending, this.rest)
  }

  /** @param {string} lang */
  async load(lang) {
    this.highlight = null
    if (!lang) return
    // Offline plain code is fine.
    const [found, door] = await Promise.all([import('../text/languages.js').then((m) => m.highlighter(lang)), import('../text/sanitize.js')]).catch(() => [null, null])
    if (this.lang !== lang || !door) return
    this.sanitize = door.sanitize
    this.highlight = found
    this.work()
  }

  work() {
    if (this.working || !this.highlight) return
    const until = performance.now() + SLICE
    const from = this.parts.from
    /** @type {import('../text/parts.js').Part|null} */
    let part = null
    let text = ''
    let html = ''
    do {
      part = this.parts.from > LONGEST ? null : this.parts.next(this.code, this.complete, this.highlight)
      if (part?.done) {
        text += part.text
        html += part.html ?? escape(part.text)
      }
    } while (part && performance.now() < until)
    // To take HTML in, and to lay out what is left, costs more than the colours, so it is done once.
    keepSelection(this.el, () => {
      if (text) this.put(from, text, html, true)
      if (part && !part.done) this.put(this.parts.from, part.text, part.html ?? escape(part.text), false)
    })
    if (!part) return
    this.working = true
    setTimeout(() => {
      this.working = false
      if (this.el.isConnected) this.work()
    })
  }

  /** @param {number} from @param {string} text @param {string} html @param {boolean} done */
  put(from, text, html, done) {
    const span = document.createElement('span')
    span.innerHTML = this.sanitize(html)
    const shown = from + (this.pending.textContent?.length ?? 0)
    const end = from + text.length
    if (end > shown) this.rest.deleteData(0, end - shown)
    if (done) {
      // Whole lines, laid out once: the browser lays out a run of lines as a whole.
      if (text.endsWith('\n')) span.className = 'lines'
      const over = this.pending.textContent?.slice(text.length) ?? ''
      this.el.insertBefore(span, this.pending)
      this.pending.replaceChildren(...(over ? [over] : []))
    } else this.pending.replaceChildren(...span.childNodes)
  }
}
