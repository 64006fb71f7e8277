// Markdown into blocks, by marked, with what it does not know (formulas,
// footnotes, <details>) and with limits: no input nests deeper or costs more
// than these allow, and what is beyond them is shown as plain text.

import { Lexer, Tokenizer } from 'marked'
import { columnsOf, shieldPipes, withPipes } from './rows.js'

/** Quotes in quotes and lists in lists: nobody writes, and nobody could read, more. */
const DEEPEST = 20
/** A short row is padded to the width of its table, so many columns times many rows is a bomb: more cells than these, and than the table has characters, are not made. */
const CELLS = 4000
/** What a text may cost, in characters looked at: this for each of its own, and what a short text may cost. */
const COST_PER_CHARACTER = 30
const LEAST_COST = 400_000
const COST_OF_BLOCK = 200

const quoted = /^ {0,3}>/
/** The environments of TeX are displays by themselves, with or without dollars around them. */
const formulaLine = /^ {0,3}(?:\$\$|\\\[|\\begin\{((?:equation|align|alignat|gather|multline|eqnarray)\*?|aligned|gathered|split|cases|array|[pbvBV]?matrix|CD)\})/
const noteLine = /^ {0,3}\[\^([^\]\s[]{1,99})\]:[ \t]*/
const detailsLine = /^ {0,3}<details(?:[ \t]+open)?[ \t]*>/i
const beginning = /(?:\$\$|\\\[|\\begin\{[A-Za-z]+\*?\}|\[\^[^\]\s[]{1,99}\]:|<details(?:[ \t]+open)?[ \t]*>)/
const underlines = /\n(?= {0,3}(?:=+|-+)[ \t]*(?:\n|$))/
const interrupts = new RegExp(`\\n(?= {0,3}${beginning.source})`, 'i')
/** Tags that are drawn inside a line do not begin a block of HTML. */
const inlineTag = /^ {0,3}<\/?(?:br|sub|sup|kbd)[ \t]*\/?>/i
/** A definition leads somewhere; `[Alice]: Hello` is a line of a talk. */
const leadsSomewhere = /^(?:$|[<#/.]|[a-z][a-z\d+.-]*:|www\.|[^\s]*[/.?#@])/i

class Rules extends Tokenizer {
  /** @param {string} src */
  table(src) {
    const { lexer } = /** @type {{lexer: BlockLexer}} */ (/** @type {any} */ (this))
    const columns = columnsOf(src)
    if (!columns) return undefined
    const { tableEnd } = /** @type {{tableEnd: RegExp}} */ (/** @type {any} */ (this.rules.other))
    tableEnd.lastIndex = src.indexOf('\n', src.indexOf('\n') + 1)
    const end = tableEnd.lastIndex < 0 ? null : tableEnd.exec(src)
    const table = end ? src.slice(0, end.index + 1) : src
    if (columns * table.split('\n').length > CELLS + table.length) return undefined
    const grows = lexer.open && table === src
    const whole = shieldPipes(table, columns, grows)
    const found = super.table(whole)
    if (!found) lexer.left -= 10 * table.length // read in vain
    if (!found || whole === table) return found
    Object.assign(found, { grows })
    found.raw = src.slice(0, found.raw.length)
    for (const cell of [...found.header, ...found.rows.flat()]) cell.text = withPipes(cell.text)
    return found
  }

  /** @param {string} src */
  html(src) {
    if (inlineTag.test(src)) return undefined
    const line = src.slice(0, (src.indexOf('\n') + 1) || src.length)
    return super.html(super.html(line) ? upToItsTag(src) : src)
  }

  /** @param {string} src */
  def(src) {
    const found = super.def(src)
    if (!found || found.tag.startsWith('^') || !leadsSomewhere.test(found.href)) return undefined
    const { lexer } = /** @type {{lexer: BlockLexer}} */ (/** @type {any} */ (this))
    if (found.raw.length === src.length && !src.endsWith('\n')) lexer.unfinished = found.tag
    return found
  }

  /** @param {string} src */
  lheading(src) {
    if (formulaLine.test(src)) return undefined
    const { lexer } = /** @type {{lexer: BlockLexer}} */ (/** @type {any} */ (this))
    const underline = lexer.next('underline', src)
    const end = lexer.next('extra', src)
    if (underline === undefined || (end !== undefined && end < underline)) return undefined
    const below = src.indexOf('\n', underline)
    return super.lheading(below < 0 ? src : src.slice(0, src.slice(below).search(/[^\n]|$/) + below))
  }

  /** @param {string} src */
  blockquote(src) {
    const end = quoted.test(src) ? endOfQuote(src) : 0
    return end ? super.blockquote(src.slice(0, end)) : undefined
  }
}

/** HTML of these is read to its own end. */
const verbatim = /^ {0,3}<(?:script|pre|style|textarea|!|\?)/i
/** A tag, and the line on which it closes, with no empty line between. */
const closedTag = /^ {0,3}<([a-z][\w-]*)(?=[\s>])(?:(?!\n[ \t]*\n)[^])*?<\/\1[ \t]*>[ \t]*\n(?=[^\n])/i

/**
 * HTML goes on to the next empty line, but a model that writes `</think>` goes on
 * below with its answer. @param {string} src
 */
const upToItsTag = (src) => (verbatim.test(src) ? null : closedTag.exec(src))?.[0] ?? src

/** What is not marked's and interrupts a paragraph ends one in a quote that goes on without `>`. */
const endsQuote = new RegExp(`^ {0,3}${beginning.source}`, 'i')

/**
 * How far a quote goes at most, 0 where it is none: each change between lines with and
 * without > is read anew by marked. @param {string} src
 */
function endOfQuote(src) {
  let changes = 0
  let before = true
  let at = 0
  while (at < src.length && changes <= 60) {
    const end = src.indexOf('\n', at) < 0 ? src.length : src.indexOf('\n', at)
    const line = src.slice(at, end)
    const now = quoted.test(line)
    if (!now && (!line.trim() || endsQuote.test(line))) break
    if (now !== before) changes++
    before = now
    at = end + 1
  }
  return changes > 60 ? 0 : Math.min(at, src.length)
}

/** @typedef {{type: string, raw: string, [more: string]: any}} Token */

/** A line that is less indented than its item and begins one of these is not the item's: what interrupts a paragraph ends it. @type {RegExp[]} */
const ends = []
const endOfItem = (/** @type {number} */ indent) => {
  const most = Math.max(0, Math.min(3, indent - 1))
  return (ends[most] ??= new RegExp(`^ {0,${most}}(?:\`\`\`|~~~|${beginning.source})`, 'i'))
}

/**
 * marked's rules, in which what is not marked's ends an item of a list and a table, and
 * nobody reads on in vain: a line of a paragraph looks whether a table interrupts it no
 * further than to the delimiter row, and a table no further than to where it ends.
 * @param {any} rules
 */
function ours({ block, other, ...more }) {
  const table = block.table.source.replace(/(^|[^[])\^/g, '$1')
  // Where a later marked writes this otherwise, it throws, and no test of the page passes.
  const [, head, end] = /** @type {RegExpExecArray} */ (/^(.*)\(\?:\\n\(\(\?:\(\?!(.*)\)\.\*\(\?:\\n\|\$\)\)\*\)\\n\*\|\$\)$/.exec(table))
  const source = block.paragraph.source.replace(table, () => `${head}(?:\\n|$)`)
  return {
    ...more,
    block: { ...block, paragraph: new RegExp(source, block.paragraph.flags) },
    other: { ...other, fencesBeginRegex: endOfItem, tableEnd: new RegExp(`\\n(?=${end}| {0,3}${beginning.source})`, 'gi') },
  }
}

/** @type {any} */
let rules

class BlockLexer extends Lexer {
  depth = 0
  left = 0
  open = false
  /** The label whose definition ends with the text: while it grows its address is not known yet. */
  unfinished = ''
  /** How far before the end of the text that is read the next of each begins; 0 for none. @type {{extra?: number, underline?: number}} */
  ahead = {}

  /** @param {string} src @param {any} [tokens] @param {boolean} [clipped] @returns {any} */
  blockTokens(src, tokens = [], clipped) {
    this.left -= src.length
    if (this.depth >= DEEPEST || this.left < 0) {
      tokens.push(plain(src))
      this.state.top = true
      return tokens
    }
    this.depth++
    const { ahead } = this
    this.ahead = {}
    try {
      return super.blockTokens(src, tokens, clipped)
    } finally {
      this.depth--
      this.ahead = ahead
    }
  }

  /**
   * Where the next line of the kind begins: what marked does not know, or what may
   * underline a heading. It is looked for once, not by each block before it.
   * @param {'extra'|'underline'} kind @param {string} src the rest of what is read
   */
  next(kind, src) {
    const known = this.ahead[kind]
    if (known === undefined || known >= src.length) {
      const at = src.search(kind === 'extra' ? interrupts : underlines)
      this.ahead[kind] = at < 0 ? 0 : src.length - at - 1
    }
    return this.ahead[kind] ? src.length - /** @type {number} */ (this.ahead[kind]) : undefined
  }
}

/** @param {string} raw @returns {Token} */
const plain = (raw) => ({ type: 'plain', raw, text: raw })

/** @this {{lexer: BlockLexer}} @param {string} src @returns {Token|undefined} */
function extra(src) {
  const { lexer } = this
  lexer.left -= COST_OF_BLOCK
  if (lexer.left < 0) return plain(src)
  const c = src.trimStart()[0]
  if (c === '$' || c === '\\') return formula(src, lexer)
  if (c === '[') return note(src, lexer)
  if (c === '<') return details(src, lexer)
  return undefined
}

/** A formula on lines of its own. It ends before the next empty line at the latest. @param {string} src @param {BlockLexer} lexer @returns {Token|undefined} */
function formula(src, lexer) {
  const found = formulaLine.exec(src)
  if (!found) return undefined
  const [open, environment] = found
  const blank = src.slice(0, 10_000).search(/\n[ \t]*\n/)
  const part = blank < 0 ? src.slice(0, 10_000) : src.slice(0, blank)
  lexer.left -= part.length
  const close = open.endsWith('$$') ? '$$' : '\\]'
  const inside = part.indexOf(close, open.length)
  const end = environment ? endOfEnvironment(part, environment) : inside < 0 ? -1 : inside + close.length
  if (end < 0) {
    const atEnd = blank < 0 && lexer.open && part.length === src.length
    return atEnd ? { type: 'formula', raw: src, source: '', tex: '', unfinished: true } : undefined
  }
  const tex = environment ? part.slice(0, end) : part.slice(open.length, inside)
  const after = /^[ \t]*[.,;:，。；]?[ \t]*(?=\n|$)/.exec(part.slice(end))
  if (!tex.trim() || (!after && !tex.includes('\n')) || (!environment && close === '\\]' && !tex.includes('\n') && !/^\s|[\\^_={}<>+]/.test(tex))) return undefined
  const raw = src.slice(0, end + (after ? after[0].length : 0))
  return { type: 'formula', raw, source: raw.trim(), tex: tex.trim() }
}

/** Behind the `\end` that belongs to the first `\begin`, or -1. @param {string} part @param {string} name */
function endOfEnvironment(part, name) {
  const mark = name.replace('*', '\\*')
  let depth = 0
  for (const found of part.matchAll(new RegExp(`\\\\(begin|end)\\{${mark}\\}`, 'g'))) {
    depth += found[1] === 'begin' ? 1 : -1
    if (depth === 0) return found.index + found[0].length
  }
  return -1
}

/** @param {string} src @param {BlockLexer} lexer @returns {Token|undefined} */
function note(src, lexer) {
  const found = noteLine.exec(src)
  if (!found) return undefined
  const lines = []
  let taken = 0
  let blank = false
  for (let at = 0; at < src.length;) {
    const end = src.indexOf('\n', at) < 0 ? src.length : src.indexOf('\n', at)
    const line = src.slice(at, end)
    const first = at === 0
    if (!first && !line.trim()) blank = true
    else if (!first) {
      const indented = /^(?: {2}|\t)/.test(line)
      if (!indented && (blank || /^ {0,3}(?:\[\^|#{1,6}\s|>|[-*+]\s|\d{1,9}[.)]\s|`{3}|~{3}|<|\||\$\$)/.test(line))) break
      blank = false
    }
    lines.push(first ? line.slice(found[0].length) : line.replace(/^(?: {1,4}|\t)/, ''))
    at = Math.min(end + 1, src.length)
    if (!blank) taken = at
    if (end === src.length) break
  }
  const raw = src.slice(0, taken)
  const text = lines.slice(0, raw.split('\n').length).join('\n').trim()
  return { type: 'footnote', raw, label: found[1], text, tokens: lexer.blockTokens(text, []) }
}

const wholeSummary = /^\s*<summary>((?:(?!<\/?(?:summary|details))[^])*?)<\/summary>/i
const openSummary = /^\s*<summary>((?:(?!\n[ \t]*\n)[^])*?)(?=\n|$)/i

/** @param {string} src @param {BlockLexer} lexer @returns {Token|undefined} */
function details(src, lexer) {
  const open = detailsLine.exec(src)?.[0]
  if (!open) return undefined
  lexer.left -= src.length
  const end = endOfDetails(src, open.length)
  const inner = src.slice(open.length, end < 0 ? src.length : end)
  const closing = end < 0 ? '' : /^<\/details[ \t]*>[ \t]*/i.exec(src.slice(end))?.[0] ?? ''
  const start = inner.slice(0, 2000)
  const summary = wholeSummary.exec(start) ?? openSummary.exec(start)
  const body = inner.slice(summary ? summary[0].length : 0)
  // One that begins with an empty line is not shown before it is known where it ends.
  const waits = lexer.open && end < 0 && inner.length < 2000 && /^\s*<summary>\s*\n\s*\n/i.test(start) && !wholeSummary.test(start)
  if (waits) return { type: 'details', raw: src, summary: '', tokens: [] }
  return { type: 'details', raw: src.slice(0, end < 0 ? src.length : end + closing.length), summary: summary?.[1].trim() ?? '', tokens: lexer.blockTokens(body.replace(/^\n+/, ''), []) }
}

/** Where the closing tag stands; those in code do not count. @param {string} src @param {number} from */
function endOfDetails(src, from) {
  const marks = /(?:^|\n)[ \t>]*(`{3,}|~{3,})|<(\/?)details(?:[ \t]+open)?[ \t]*>/gi
  marks.lastIndex = from
  let depth = 1
  let fence = ''
  for (let m = marks.exec(src); m; m = marks.exec(src)) {
    if (m[1]) {
      if (!fence) fence = m[1]
      else if (m[1][0] === fence[0] && m[1].length >= fence.length) fence = ''
    } else if (!fence) {
      depth += m[2] ? -1 : 1
      if (depth === 0) return m.index
    }
  }
  return -1
}

/** Where the first of them begins in a paragraph, which it interrupts. @this {{lexer: BlockLexer}} @param {string} src */
function startOfExtra(src) {
  return this.lexer.next('extra', src)
}

/**
 * The blocks of a text, and the link definitions in it. Text inside the blocks is
 * not read yet.
 * @param {string} text @param {boolean} [open] it still grows
 * @returns {{tokens: Token[], links: Record<string, {href: string, title: string}>, spent: boolean}} spent: the bound on its cost was met, so a longer text may be read otherwise from the beginning
 */
export function lex(text, open = false) {
  const lexer = new BlockLexer({
    gfm: true,
    tokenizer: new Rules(),
    extensions: /** @type {any} */ ({ block: [extra], startBlock: [startOfExtra], renderers: {}, childTokens: {} }),
  })
  const { tokenizer } = /** @type {any} */ (lexer)
  tokenizer.rules = rules ??= ours(tokenizer.rules)
  lexer.open = open
  lexer.left = LEAST_COST + text.length * COST_PER_CHARACTER
  try {
    const tokens = lexer.blockTokens(text, [])
    const links = /** @type {any} */ (lexer.tokens.links)
    if (open) delete links[lexer.unfinished]
    return { tokens, links, spent: lexer.left < 0 }
  } catch {
    return { tokens: text ? [plain(text)] : [], links: Object.create(null), spent: true }
  }
}
