// A program in parts that can be coloured one after the other: a line, or as many
// lines as belong to one string or comment. What was cut is never looked at again,
// so the colours of a program that grows cost as much as those of a finished one,
// and come out the same.

/** @typedef {import('./languages.js').Highlighter} Highlighter */
/** @typedef {{text: string, html: string|null, done: boolean}} Part a part that is not done may be replaced by a longer one */

/** A part that does not end by itself ends here: colours after it may be off, but come in time. */
const MOST_LINES = 256
const LONGEST = 20_000
/** A longer line is left without colours: some rules take their time with it. */
const LONGEST_LINE = 4000

export class Parts {
  from = 0
  /** Lines of the part that is looked at. */
  lines = 1

  /**
   * The next part of the code, or null when more of it must come first.
   * @param {string} code @param {boolean} complete no more will come @param {Highlighter} highlight
   * @returns {Part|null}
   */
  next(code, complete, highlight) {
    const end = endOfLines(code, this.from, this.lines)
    const last = end < 0
    if (last && (!complete || this.from >= code.length)) return null
    const text = code.slice(this.from, last ? code.length : end)
    if (text.length > LONGEST_LINE && this.lines === 1) return this.cut(text, null)
    const found = highlight(text)
    if (!found || found.whole || last || this.lines >= MOST_LINES || text.length > LONGEST) return this.cut(text, found?.html ?? null)
    this.lines *= 2
    return { text, html: found.html, done: false }
  }

  /** @param {string} text @param {string|null} html @returns {Part} */
  cut(text, html) {
    this.from += text.length
    this.lines = 1
    return { text, html, done: true }
  }
}

/** @param {string} code @param {number} from @param {number} lines @returns {number} -1 when there are fewer */
function endOfLines(code, from, lines) {
  let end = from
  for (let i = 0; i < lines; i++) {
    end = code.indexOf('\n', end) + 1
    if (end === 0) return -1
  }
  return end
}
