// The end of an answer that still grows, as far as it is decided: what may yet
// turn out to be a mark is kept back until it is known, so that nothing which was
// shown is taken away again.

import { formulaAt } from './formula.js'
import { lex } from './lexer.js'

/** No undecided end is longer. */
const WINDOW = 1000

/** A longer label is not waited for. */
const LABEL = 200

const openAddress = /<(?=(?:https?:|mailto:)[^\s<>]*$)/i
const marks = /(?:[*_~`\\!]+|&#?\w{0,31}|<\/?[\w.+-]{0,64}(?:@[\w.-]{0,64})?|<br[ \t]*\/?)$/i

/**
 * The decided part of a growing line of text.
 * @param {string} src @param {boolean} [ended] the line is complete, so only what reaches over its end is not decided
 * @returns {string}
 */
export function decided(src, ended = false) {
  if (ended) return src.replace(/\\$/, '')
  const from = Math.max(0, src.length - WINDOW, src.lastIndexOf('\n') + 1)
  const line = src.slice(from)
  let end = withoutOpenLink(line)
  for (let before = ''; before !== end;) {
    before = end
    end = end.replace(openAddress, '').replace(marks, '')
    while (end.endsWith('$') && !closesFormula(end, line[end.length] ?? '')) end = end.slice(0, -1)
  }
  return src.slice(0, from) + end
}

/** Whether the dollar at the end of the text closes a formula; at the very end nobody knows. @param {string} text @param {string} next */
function closesFormula(text, next) {
  for (let i = next ? text.indexOf('$') : -1; i >= 0;) {
    const found = formulaAt(text + next, i)
    if (found?.end === text.length) return true
    i = text.indexOf('$', found ? found.end : i + (text[i + 1] === '$' ? 2 : 1))
  }
  return false
}

/**
 * A label in brackets is shown when its address begins, and an image when it is
 * complete; before that they may be brackets and nothing else.
 * @param {string} line
 */
function withoutOpenLink(line) {
  /** @type {number[]} */
  const open = []
  let chain = -1 // where brackets that follow one another began
  for (let i = 0; i < line.length; i++) {
    const c = line[i]
    if (c === '\\') i++
    else if (c === '`') {
      const run = /^`+/.exec(line.slice(i))?.[0] ?? c
      const end = line.slice(i + run.length).search(new RegExp(`(?<!\`)${run}(?!\`)`))
      if (end < 0) break
      i += 2 * run.length + end - 1
    } else if (c === '[') open.push(line[i - 1] === '!' ? i - 1 : i)
    else if (c === ']' && open.length) {
      const from = /** @type {number} */ (open.pop())
      if (line.startsWith('[^', from)) { // a footnote is one as soon as it closes
        chain = -1
        continue
      }
      if (open.length === 0 && chain < 0) chain = from
      if (line[i + 1] === '[') continue
      if (line[i + 1] === '(') {
        const end = endOfAddress(line, i + 2)
        if (end < 0 && open.length === 0) return line.slice(0, from) + (line[from] === '!' ? '' : line.slice(from + 1, i))
        if (end < 0) break
        i = end
      } else if (i === line.length - 1 && open.length === 0) return line.slice(0, chain)
      chain = -1
    }
  }
  if (open.length === 0) return line
  const from = chain < 0 ? open[0] : Math.min(chain, open[0])
  return line.length - from > LABEL ? line : line.slice(0, from)
}

/** @param {string} line @param {number} from @returns {number} where the parenthesis closes, or -1 */
function endOfAddress(line, from) {
  let depth = 1
  for (let i = from; i < line.length; i++) {
    if (line[i] === '\\') i++
    else if (line[i] === '(') depth++
    else if (line[i] === ')' && --depth === 0) return i
  }
  return -1
}

const containers = /^(?:[ \t]*(?:>|[-*+](?=[ \t]|$)|\d{1,9}[.)](?=[ \t]|$)))*[ \t]*/
const fence = /^(`{3,}|~{3,})/
/** Lines that are not yet anything. */
const undecided = [
  /^[-*+=#>_][-*+=#>_ \t]*$/, // a list, a heading, a rule, an underline
  /^\d{1,9}[.)]?$/, // a numbered item
  /^`{1,2}$/, /^`{3,}[^`]*$/, /^~+$/, /^~{3,}.*$/, // a fence
  /^\$\$?$/, /^\\(?:\[|[a-z]*(?:\{[A-Za-z]*\*?)?)$/, // a formula
  /^(?:\||:?-)[-:| \t]*$/, // the second line of a table
  /^\[(?:\^[^\]\n]*\]?)?$/, // a footnote
  /^<(?:\/?[a-z]*>?|!-?)$/i, /^<details(?:[ \t]+open)?[ \t]*>[ \t]*<\/?[a-z]*>?$/i, /^<details[ \t]+o?p?e?n?[ \t]*$/i, // a tag
]
/** What can only stand where a block begins. */
const beginnings = [/^\[[ xX]?\]?$/, /^\[![a-z]*\]?$/i, /^\[[^\]\n]*\]?:?[ \t]*\S*$/, /^\[[^\]\n]+\]:[ \t]*<[^<>\n]*(?:>[ \t]*(?:["'(][^\n]*)?)?$/, /^\[[^\]\n]+\]:[ \t]*\S*[/.?#@:]\S*[ \t]+["'(][^\n]*$/]

/**
 * The decided part of the last block of a growing answer.
 * @param {string} raw @returns {string}
 */
export function decidedBlock(raw) {
  const at = raw.lastIndexOf('\n') + 1
  const line = raw.slice(at)
  if (line.length > WINDOW) return raw
  const body = line.slice(containers.exec(line)?.[0].length)
  const open = fenceAround(raw, at)
  if (open) return body && body === open[0].repeat(body.length) ? raw.slice(0, Math.max(0, at - 1)) : raw
  const before = raw.slice(0, at)
  const begins = at === 0 || body.length < line.trimStart().length || /(?:^|\n)[ \t>]*\n$/.test(before)
  let out = raw
  if (body === '' || undecided.some((r) => r.test(body)) || (begins && beginnings.some((r) => r.test(body) && !isLink(body)))) out = before
  // What is no beginning of a delimiter row says that the line above begins no table.
  const tells = out === before && /^[ \t>]*[^-:| \t>]/.test(line)
  return (tells ? out : beforeTable(out)).replace(/\s+$/, (s) => (s.includes('\n') ? '' : s))
}

/** @param {string} body */
const isLink = (body) => /^\[[^\]\n]*\]\(/.test(body)

/** The fence that is open at the end of the text, or ''. @param {string} text */
export function openFence(text) {
  let open = ''
  for (let at = 0; at < text.length;) {
    const end = text.indexOf('\n', at) < 0 ? text.length : text.indexOf('\n', at)
    // Only lines that can hold a fence are looked at closely: this runs at each frame.
    const line = text.slice(at, Math.min(end, at + 200))
    at = end + 1
    if (!line.includes('```') && !line.includes('~~~')) continue
    const body = line.slice(containers.exec(line)?.[0].length)
    const mark = fence.exec(body)?.[1]
    if (!mark) continue
    if (!open) open = mark[0] === '`' && body.slice(mark.length).includes('`') ? '' : mark
    else if (mark[0] === open[0] && mark.length >= open.length && body.trim() === mark) open = ''
  }
  return open
}

/**
 * The fence that is open where the line at `at` begins, or ''. In a quote or a list a
 * fence ends with it, which only the whole reading tells.
 * @param {string} raw @param {number} at
 */
function fenceAround(raw, at) {
  const open = openFence(raw.slice(0, at))
  if (!open || !/^(?:[ \t]*>|[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]| {2,}|\t)/m.test(raw)) return open
  // Where the line would close the fence, it is looked at as if it went on.
  for (let { tokens } = lex(raw.replace(/[`~]+[ \t]*$/, 'x'), true); ;) {
    const last = tokens[tokens.length - 1]
    // A line that begins further left may yet begin something.
    if (last?.type === 'list' && /^[^\s>]/.test(raw.slice(at))) return ''
    if (last?.type === 'list') tokens = last.items[last.items.length - 1].tokens
    else if (last?.type === 'code') return last.codeBlockStyle === 'indented' ? '' : openFence(last.raw)
    else if (last?.tokens && last.type !== 'paragraph' && last.type !== 'heading') ({ tokens } = last)
    else return ''
  }
}

const anItem = /^[ \t>]*(?:[-*+]|\d{1,9}[.)])(?:[ \t]|$)/

/** A table needs its whole second line before it is one. @param {string} text */
function beforeTable(text) {
  const start = text.lastIndexOf('\n\n') + 1
  const lines = text.slice(start).split('\n')
  const last = lines.length - 1
  const delimiter = (/** @type {string} */ l) => /^[ \t>]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-*:?[ \t]*)*$/.test(l) && l.includes('-')
  const inTable = lines.slice(0, last).findLastIndex((l) => delimiter(l) && l.includes('|'))
  if (inTable >= 0 && !lines.slice(inTable + 1).some((l) => anItem.test(l))) return text
  const header = last > 0 && /^[-:| \t]*$/.test(lines[last]) ? last - 1 : last
  const pipe = lines[header].search(/(?<!\\)\|/)
  if (pipe < 0 || lines[header].slice(0, pipe).split('`').length % 2 === 0) return text
  return text.slice(0, start + lines.slice(0, header).join('\n').length + (header ? 1 : 0) + pipe)
}
