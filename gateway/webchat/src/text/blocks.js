// Splits Markdown into top-level blocks. While an answer streams only its last
// block can still change, so only that one is parsed again.

import { Lexer } from 'marked'

/** @typedef {{raw: string, open: boolean}} Block */

export class Splitter {
  seen = ''
  settledTo = 0
  /** @type {Block[]} */
  settled = []

  reset() {
    this.seen = ''
    this.settledTo = 0
    this.settled = []
  }

  /**
   * @param {string} text all of the answer so far
   * @param {boolean} growing
   * @returns {Block[]} the same objects for the blocks that did not change
   */
  split(text, growing) {
    if (!text.startsWith(this.seen)) this.reset()
    this.seen = text
    const raws = rawBlocks(text.slice(this.settledTo))
    const last = raws.pop()
    for (const raw of raws) {
      this.settled.push({ raw, open: false })
      this.settledTo += raw.length
    }
    return last === undefined ? [...this.settled] : [...this.settled, { raw: last, open: growing }]
  }
}

/** @param {string} text @returns {string[]} their join is the text */
export function rawBlocks(text) {
  /** @type {string[]} */
  const blocks = []
  let taken = 0
  for (const token of new Lexer({ gfm: true }).blockTokens(text, [])) {
    const end = taken + token.raw.length
    if (token.type === 'space' && blocks.length) blocks[blocks.length - 1] += text.slice(taken, end)
    else blocks.push(text.slice(taken, end))
    taken = end
  }
  if (taken < text.length) blocks.push(text.slice(taken))
  return blocks
}

/** Link definitions stand anywhere and count everywhere. @param {string} text @returns {string} */
export const definitions = (text) => (text.match(/^ {0,3}\[[^\]\n]+\]:[^\n]+$/gm) ?? []).join('\n')
