// How much of a long text is on the page.

import { tamed } from './tame.js'

/**
 * Where a text is cut that is to have at most so many characters and lines; its whole length when it has.
 * A character of two halves is never cut in two.
 * @param {string} text @param {number} chars @param {number} [lines] @returns {number}
 */
export function cutAt(text, chars, lines = Infinity) {
  let end = text.length > chars ? chars : text.length
  for (let at = -1, n = 0; n < lines; n++) {
    at = text.indexOf('\n', at + 1)
    if (at < 0 || at >= end) return whole(text, end)
    if (n === lines - 1) end = at
  }
  return whole(text, end)
}

/** The beginning of a text of others, on one line; it says that there is more. @param {string} text @param {number} most */
export const short = (text, most) => tamed(text.length > most ? `${text.slice(0, cutAt(text, most))}…` : text)

/** @param {string} text @param {number} end */
const whole = (text, end) => (end < text.length && /[\ud800-\udbff]/.test(text[end - 1] ?? '') ? end - 1 : end)

/** What a sign that may be drawn as an escape costs, measured in letters. */
const ODD = 15

/**
 * The same of a text that is drawn to the letter, where an escape is an element of its own.
 * @param {string} text @param {number} room in letters
 */
export function cutExact(text, room) {
  let end = 0
  for (let cost = 0; end < text.length && cost < room; end++) {
    const c = text.charCodeAt(end)
    cost += (c >= 0x20 && c < 0x7f) || (c >= 0x3400 && c < 0xa000) || (c >= 0xac00 && c < 0xd7a4) ? 1 : c === 10 || (c >= 0xc0 && c < 0x590) ? 3 : ODD
  }
  return whole(text, end)
}

/** @typedef {{sign: '+'|'-'|' ', text: string} | {gap: number}} Row a line, or how many unchanged ones are left out */

/**
 * The first rows, with at most so many characters; the last one may be cut.
 * @param {Row[]} rows @param {number} chars @param {number} lines
 * @returns {{shown: Row[], left: number}} left: characters that are not shown
 */
export function clipRows(rows, chars, lines) {
  /** @type {Row[]} */
  const shown = []
  let room = chars
  let i = 0
  for (; i < rows.length && shown.length < lines && room > 0; i++) {
    const row = rows[i]
    if ('gap' in row) {
      shown.push(row)
      continue
    }
    const end = cutAt(row.text, room)
    shown.push(end < row.text.length ? { ...row, text: row.text.slice(0, end) } : row)
    room -= row.text.length + 1
  }
  const all = (/** @type {Row[]} */ list) => list.reduce((n, row) => n + ('gap' in row ? 0 : row.text.length + 1), 0)
  return { shown, left: all(rows) - all(shown) }
}

/** Lines around a change that are shown with it. */
const AROUND = 3

/**
 * The lines of two versions as rows; long stretches that both have are left out.
 * @param {{value: string, added?: boolean, removed?: boolean}[]} changes
 * @returns {{rows: Row[], added: number, removed: number}}
 */
export function rowsOf(changes) {
  /** @type {Row[]} */
  const rows = []
  let [added, removed] = [0, 0]
  for (const [i, { value, added: plus, removed: minus }] of changes.entries()) {
    const lines = linesOf(value)
    if (plus) added += lines.length
    if (minus) removed += lines.length
    const sign = plus ? '+' : minus ? '-' : ' '
    const head = i === 0 ? 0 : AROUND
    const tail = i === changes.length - 1 ? 0 : AROUND
    if (sign !== ' ' || lines.length <= head + tail + 1) rows.push(...lines.map((text) => /** @type {Row} */ ({ sign, text })))
    else {
      rows.push(...lines.slice(0, head).map((text) => /** @type {Row} */ ({ sign, text })), { gap: lines.length - head - tail })
      rows.push(...lines.slice(lines.length - tail).map((text) => /** @type {Row} */ ({ sign, text })))
    }
  }
  return { rows, added, removed }
}

/** The lines of a text; its last line end begins none. @param {string} text */
export const linesOf = (text) => (text === '' ? [] : text.replace(/\n$/, '').split('\n'))
