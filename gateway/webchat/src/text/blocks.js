// Splits Markdown into top-level blocks. While an answer streams only its end
// can still change, so only that is parsed again.

import { lex } from './lexer.js'

/** @typedef {{raw: string, open: boolean}} Block */
/** @typedef {Record<string, {href: string, title: string}>} Links */

/** A block of plain text of this length is shown in pieces, so that a growing one is not laid out anew as a whole. */
const PIECE = 16_000
/** No paragraph that is read by a person is longer; see inline.js. */
const LONGEST = 40_000

export class Splitter {
  seen = ''
  settledTo = 0
  /** @type {Block[]} */
  settled = []
  /** Definitions anywhere in the answer. @type {Links} */
  links = Object.create(null)
  whole = true

  reset() {
    this.seen = ''
    this.settledTo = 0
    this.settled = []
    this.links = Object.create(null)
    this.whole = true
  }

  /**
   * @param {string} text all of the answer so far
   * @param {boolean} growing
   * @returns {Block[]} the same objects for the blocks that did not change
   */
  split(text, growing) {
    if (!text.startsWith(this.seen)) this.reset()
    if (!growing && !this.whole) return this.again(text)
    this.seen = text
    const { raws, links } = parts(text.slice(this.settledTo), growing)
    define(this.links, links)
    const keep = growing ? unsettled(raws) : 1
    const end = raws.splice(Math.max(0, raws.length - keep))
    for (const raw of raws) {
      this.settled.push({ raw, open: false })
      this.settledTo += raw.length
    }
    if (growing) this.whole = false
    return [...this.settled, ...end.map((raw, i) => ({ raw, open: growing && i === end.length - 1 }))]
  }

  /** The finished text is split as a whole: what came in pieces is what comes at once. @param {string} text */
  again(text) {
    const before = this.settled
    this.reset()
    const blocks = this.split(text, false)
    this.settled = this.settled.map((b, i) => (before[i]?.raw === b.raw ? before[i] : b))
    return [...this.settled, ...blocks.slice(this.settled.length)]
  }
}

/** The first definition of a label wins. @param {Links} into @param {Links} from */
function define(into, from) {
  for (const [label, link] of Object.entries(from)) into[label] ??= link
}

/** How many blocks at the end may still become another one: the line that ends the one before is not complete. @param {string[]} raws */
function unsettled(raws) {
  const last = raws[raws.length - 1] ?? ''
  return last.includes('\n') ? 1 : 2
}

/** @param {string} text @returns {string[]} their join is the text */
export const rawBlocks = (text) => parts(text).raws

/** @param {string} text @param {boolean} [open] */
function parts(text, open = false) {
  /** @type {string[]} */
  const raws = []
  let taken = 0
  const { tokens, links } = lex(text, open)
  for (const token of tokens) {
    const end = taken + token.raw.length
    const raw = text.slice(taken, end)
    if (token.type === 'space' && raws.length) raws[raws.length - 1] += raw
    else if (raw.length > LONGEST && (token.type === 'paragraph' || token.type === 'plain')) {
      for (let at = 0; at < raw.length;) at += raws[raws.push(piece(raw, at)) - 1].length
    } else raws.push(raw)
    taken = end
  }
  if (taken < text.length) raws.push(text.slice(taken))
  return { raws, links }
}

/** @param {string} raw @param {number} at */
function piece(raw, at) {
  const half = /[\udc00-\udfff]/.test(raw[at + PIECE] ?? '') // of a character
  return raw.slice(at, at + PIECE + (half ? 1 : 0))
}
