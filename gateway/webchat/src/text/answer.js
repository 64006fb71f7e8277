// A whole answer as a tree: its blocks, each drawn once, and its footnotes below.

import { t } from '../i18n/language.js'
import { Splitter } from './blocks.js'
import { draw, drawTokens, notesIn } from './draw.js'
import { el } from './nodes.js'

/** @typedef {import('./nodes.js').Node} Node */
/** @typedef {import('./nodes.js').Element} Element */
/** @typedef {{raw: string, open: boolean}} Block */

/** What was drawn of a block, and what it depended on. @typedef {{raw: string, open: boolean, known: string, nodes: Node[], failed: boolean, view?: any}} Drawn */

export class AnswerText {
  splitter = new Splitter()
  /** @type {Drawn[]} */
  drawn = []
  /** @type {Map<string, number>} */
  numbers = new Map()
  /** @type {Map<string, any[]>} */
  notes = new Map()
  /** How far the settled blocks were searched for footnotes. */
  searched = 0
  hoped = false
  growing = false

  reset() {
    this.splitter.reset()
    this.drawn = []
    this.forget()
  }

  forget() {
    this.numbers.clear()
    this.notes.clear()
    this.searched = 0
    this.hoped = false
  }

  /**
   * @param {string} text all of the answer so far @param {boolean} growing
   * @returns {{blocks: Drawn[], notes: Node[]}}
   */
  draw(text, growing) {
    const blocks = this.splitter.split(text.replace(/\r\n?/g, '\n'), growing)
    // At the end it turns out which references lead nowhere; numbers are given anew.
    if (!growing && this.growing && (this.hoped || this.numbers.size)) {
      this.forget()
      this.drawn = []
    }
    this.growing = growing
    this.findNotes(blocks)
    const known = `${Object.keys(this.splitter.links).length}`
    this.drawn = blocks.map((block, i) => this.block(block, this.drawn[i], known))
    return { blocks: this.drawn, notes: this.section() }
  }

  /** @param {Block[]} blocks */
  findNotes(blocks) {
    const settled = this.splitter.settled.length
    for (; this.searched < settled; this.searched++) this.define(blocks[this.searched].raw)
    for (const block of blocks.slice(settled)) this.define(block.raw)
  }

  /** @param {string} raw */
  define(raw) {
    for (const { label, tokens } of notesIn(raw)) this.notes.set(label, tokens)
  }

  /** @returns {import('./inline.js').Context} */
  context() {
    return {
      links: this.splitter.links,
      growing: this.growing,
      hoped: () => { this.hoped = true },
      note: (label) => {
        if (!this.notes.has(label) && !this.growing) return 0
        if (!this.numbers.has(label)) this.numbers.set(label, this.numbers.size + 1)
        return this.numbers.get(label) ?? 0
      },
    }
  }

  /** @param {Block} block @param {Drawn|undefined} old @param {string} known @returns {Drawn} */
  block({ raw, open }, old, known) {
    // Only what has brackets can depend on definitions elsewhere.
    const depends = raw.includes('[') ? known : ''
    if (old && old.raw === raw && old.open === open && old.known === depends) return old
    const before = old && raw.startsWith(old.raw) && old.known === depends ? old.nodes : []
    try {
      return { raw, open, known: depends, nodes: draw(raw, this.context(), open, before), failed: false }
    } catch {
      return { raw, open, known: depends, nodes: [el('p', { class: 'plain' }, [raw])], failed: true }
    }
  }

  /** @returns {Node[]} */
  section() {
    for (const label of this.notes.keys()) this.context().note(label)
    const items = [...this.numbers].filter(([label]) => this.notes.has(label)).map(([label, n]) => {
      const back = el('button', { type: 'button', class: 'note-link', 'data-note-of': String(n), 'aria-label': t('footnoteBack', { n }) }, ['↩'])
      const children = drawTokens(this.notes.get(label) ?? [], this.context())
      const last = children[children.length - 1]
      if (typeof last === 'object' && 'tag' in last && last.tag === 'p') children[children.length - 1] = el('p', undefined, [...last.children, ' ', back])
      else children.push(el('p', undefined, [back]))
      return el('li', { value: String(n) }, children)
    })
    return items.length ? [el('section', { class: 'footnotes' }, [el('ol', undefined, items)])] : []
  }
}
