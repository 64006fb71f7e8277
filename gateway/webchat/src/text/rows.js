// Which pipes end a cell of a table. Models write code and formulas with pipes in
// them into cells, and rows with more cells than the table has columns.

import { formulaAt, mayBecomeFormula } from './formula.js'

/** Stands for a pipe that ends no cell. */
const SHIELD = '\ue0ff'
/** A table of more columns is text. */
const COLUMNS = 64
/** No row that a person reads is longer; what is longer is cut at every pipe. */
const LONGEST_ROW = 10_000

const delimiterRow = /^ {0,3}\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$/
const cellsOf = (/** @type {string} */ line) => line.trim().replace(/^\||(?<=(?<!\\)(?:\\\\)*)\|$/g, '').split(/(?<=(?<!\\)(?:\\\\)*)\|/, COLUMNS + 1).length

/**
 * How many columns the table has that begins here: the second line is a delimiter
 * row of as many as the first. The rule for a table reads on to its end, so it is
 * not asked in vain. @param {string} src @returns {number} 0 for no table
 */
export function columnsOf(src) {
  const end = src.indexOf('\n')
  if (end < 0) return 0
  const below = src.indexOf('\n', end + 1)
  const delimiter = src.slice(end + 1, below < 0 ? src.length : below)
  if (!/[:|]/.test(delimiter) || !delimiterRow.test(delimiter)) return 0
  const columns = cellsOf(delimiter)
  return columns <= COLUMNS && cellsOf(withCodeWhole(withFormulasWhole(src.slice(0, end)), columns)) === columns ? columns : 0
}

/**
 * The same table, of which no word is lost: no pipe in a formula (`$|x|$`) ends a
 * cell, and where a row has more cells than the table has columns, neither does one in code
 * (`a|b`); what is still too much stands in the last cell.
 * @param {string} table @param {number} columns @param {boolean} open its last row still grows
 */
export function shieldPipes(table, columns, open) {
  if (table.includes(SHIELD)) return table
  const lines = table.split('\n')
  return lines.map((line, i) => {
    if (i === 1 || line.length > LONGEST_ROW) return line
    const grows = open && i === lines.length - 1
    const whole = withCodeWhole(withFormulasWhole(line, grows), columns, grows)
    return i && cellsOf(whole) > columns ? withRestInLast(whole, columns) : whole
  }).join('\n')
}

/** @param {string} line @param {boolean} [open] a formula that nothing ends may yet end */
function withFormulasWhole(line, open = false) {
  for (let i = 0; i < line.length && line.length < LONGEST_ROW; i++) {
    const begins = line[i] === '$' || /^\\[([]/.test(line.slice(i, i + 2))
    const found = begins && formulaAt(line, i)
    if (begins && !found && open && mayBecomeFormula(line, i)) return line.slice(0, i) + shielded(line.slice(i))
    if (found && /[\p{L}\d]/u.test(found.tex)) {
      line = line.slice(0, i) + shielded(line.slice(i, found.end)) + line.slice(found.end)
      i = found.end - 1
    } else if (line[i] === '\\') i++
  }
  return line
}

/** @param {string} line @param {number} columns @param {boolean} [open] code that nothing closes may yet be closed */
function withCodeWhole(line, columns, open = false) {
  if (!line.includes('`') || (!open && cellsOf(line) <= columns)) return line
  return line.replace(open ? /(?<!`)(`+)(?!`)[^]*?(?:(?<!`)\1(?!`)|$)/g : /(?<!`)(`+)(?!`)[^]*?(?<!`)\1(?!`)/g, shielded)
}

/** @param {string} line @param {number} columns */
function withRestInLast(line, columns) {
  const from = /^\s*\|/.exec(line)?.[0].length ?? 0
  const to = /(?<=(?<!\\)(?:\\\\)*)\|\s*$/.exec(line)?.index ?? line.length
  const cells = line.slice(from, to).split(/(?<=(?<!\\)(?:\\\\)*)\|/)
  return line.slice(0, from) + [...cells.slice(0, columns - 1), cells.slice(columns - 1).join(SHIELD)].join('|') + line.slice(to)
}

const shielded = (/** @type {string} */ text) => text.replace(/(?<!\\)\|/g, SHIELD)

/** The text of a cell as it was written. @param {string} text */
export const withPipes = (text) => text.replaceAll(SHIELD, '|')
