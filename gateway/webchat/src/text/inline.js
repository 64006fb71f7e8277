// The text inside a block: code spans, links, emphasis, formulas, the few HTML
// tags that are drawn. The pieces are read by marked's own rules; the walk over
// them is ours, since it must know Chinese, formulas and text that still grows,
// and must stay fast on any input.

import { Lexer } from 'marked'
import { t } from '../i18n/language.js'
import { emphasise, hasCJK, runAt } from './emphasis.js'
import { formulaAt, mayBecomeFormula } from './formula.js'
import { offered, outward, webHost } from './links.js'
import { el, wordsOf } from './nodes.js'
import { bareAddress, mailAt } from './addresses.js'
import { decided } from './pending.js'

/** @typedef {import('./nodes.js').Node} Node */
/** @typedef {import('./emphasis.js').Run} Run */

/**
 * What an answer says once and uses anywhere.
 * @typedef {object} Context
 * @property {Record<string, {href: string, title: string}>} links definitions, by marked's normal form of their labels
 * @property {(label: string) => number} note the number of a footnote; 0 when there is none
 * @property {boolean} growing the answer still grows, so a definition may yet come
 * @property {() => void} hoped called when a reference is drawn that no definition supports yet
 */

/** @returns {Context} */
export const noContext = () => ({ links: Object.create(null), note: () => 0, growing: false, hoped() {} })

/** A longer run of text is shown as it is: nobody formats a paragraph of a book's length. */
const LONGEST = 40_000
/** Links in links, tags in tags. */
const DEEPEST = 8
/** So many failed links in one block mean that it was written to be slow. */
const FAILURES = 100

const special = /[\\`*_~$<[!&\n@]|https?:\/\/|ftp:\/\/|www\./gi
const reference = /&(?:#(\d{1,7})|#[xX]([\da-fA-F]{1,6})|[A-Za-z][A-Za-z\d]{1,31});/y
const footnote = /\[\^([^\]\s[]{1,99})\]/y
const fullReference = /\[([^[\]]+)\]\[([^[\]]*)\](?!\()/y
const pairedTag = /<(sub|sup|kbd)>/iy
const lineBreak = /<br[ \t]*\/?>/iy
const inlineImage = /^data:image\/(png|jpeg|gif|webp);base64,[a-z0-9+/=]+$/i

/** @param {RegExp} sticky @param {string} s @param {number} i */
function at(sticky, s, i) {
  sticky.lastIndex = i
  return sticky.exec(s)
}

/** marked's lexer, whose links ask this module for what is in their brackets. */
class Pieces extends Lexer {
  depth = 0
  failures = 0
  /** @type {Context} */
  context = noContext()

  constructor() {
    super({ gfm: true })
  }

  get rules() {
    return /** @type {any} */ (this).tokenizer
  }

  /** @param {string} src @returns {any} */
  inlineTokens(src) {
    if (this.depth >= DEEPEST) return [src]
    this.depth++
    try {
      return new Walk(this, src, false).nodes()
    } finally {
      this.depth--
    }
  }
}

/**
 * @param {string} src @param {Context} [context]
 * @param {boolean} [open] it is the end of a text that still grows
 * @param {boolean} [ended] its last line is complete
 * @returns {Node[]}
 */
export function inline(src, context = noContext(), open = false, ended = false) {
  if (src.length > LONGEST) return [src]
  if (!/[\\`*_~$<[!&\n@:]|www\./i.test(src)) return [src]
  const pieces = new Pieces()
  pieces.context = context
  pieces.tokens.links = /** @type {any} */ (context.links)
  return new Walk(pieces, open ? decided(src, ended) : src, open, ended).nodes()
}

class Walk {
  /** @type {(Node|Run)[]} */
  items = []
  text = ''
  i = 0
  /** Lengths of backtick runs that nothing closes further on. @type {Set<number>} */
  unclosedCode = new Set()
  /** @type {Set<string>} */
  unclosedTags = new Set()

  /** @param {Pieces} pieces @param {string} s @param {boolean} open @param {boolean} [ended] */
  constructor(pieces, s, open, ended = false) {
    this.pieces = pieces
    this.s = s
    this.open = open
    this.ended = ended
    this.inCJK = hasCJK(s)
    this.closes = s.includes(')')
    this.lastAddress = s.lastIndexOf('](')
    pieces.state.linkParenPossible = this.closes
  }

  nodes() {
    const { s } = this
    while (this.i < s.length) {
      const found = at2(s, this.i)
      const stop = found ? found.index : s.length
      this.text += s.slice(this.i, stop)
      this.i = stop
      if (!found) break
      if (!this.take(s[stop])) this.literal(1)
    }
    this.flush()
    return emphasise(this.items, this.open)
  }

  /** @param {string} c @returns {boolean} whether it was read as what it looks like */
  take(c) {
    switch (c) {
      case '\\': return this.formula() || this.escaped()
      case '$': return this.formula()
      case '`': return this.code()
      case '\n': return this.newline()
      case '*': case '_': case '~': return this.run(c)
      case '&': return this.reference()
      case '<': return this.angle()
      case '!': return this.s[this.i + 1] === '[' && this.bracket()
      case '[': return this.note() || this.bracket()
      case '@': return this.mail()
      default: return this.address()
    }
  }

  /** @param {number} length */
  literal(length) {
    this.text += this.s.slice(this.i, this.i + length)
    this.i += length
    return true
  }

  flush() {
    if (this.text) this.items.push(this.text)
    this.text = ''
  }

  /** @param {Node|Run} node @param {number} end @returns {true} */
  put(node, end) {
    this.flush()
    this.items.push(node)
    this.i = end
    return true
  }

  /** @param {Node[]} nodes @param {number} end @returns {true} */
  putAll(nodes, end) {
    this.flush()
    this.items.push(...nodes)
    this.i = end
    return true
  }

  formula() {
    const { s, i } = this
    if (s[i] === '\\' && s[i + 1] !== '(' && s[i + 1] !== '[') return false
    const found = formulaAt(s, i)
    if (found) return this.put({ math: found.tex, display: found.display, source: s.slice(i, found.end) }, found.end)
    if (this.open && mayBecomeFormula(s, i, this.ended)) {
      this.i = s.length
      return true
    }
    return s[i] === '$' && s[i + 1] === '$' ? this.literal(2) : false
  }

  escaped() {
    const c = this.s[this.i + 1]
    if (c === '\n') {
      this.i++
      return this.lineEnd(true)
    }
    if (c === undefined || !/[!-/:-@[-`{-~]/.test(c)) return false
    this.text += c
    this.i += 2
    return true
  }

  /** Where the words of the next line begin. */
  nextLine() {
    let at = this.i + 1
    while (this.s[at] === ' ' || this.s[at] === '\t') at++
    return at
  }

  newline() {
    const trimmed = this.text.trimEnd()
    const hard = this.text.endsWith('  ') && this.i + 1 < this.s.length
    this.text = this.text.slice(0, trimmed.length)
    return this.lineEnd(hard)
  }

  /** The page shows where a line ends, so one that a tag ended has no second end. @param {boolean} hard */
  lineEnd(hard) {
    if (hard) return this.put(el('br'), this.nextLine())
    const ended = !this.text && isBreak(this.items.at(-1))
    if (!ended) this.text += '\n'
    this.i = this.nextLine()
    return true
  }

  code() {
    const { s, i } = this
    let end = i
    while (s[end] === '`') end++
    const length = end - i
    if (this.unclosedCode.has(length)) return this.literal(length)
    const token = this.pieces.rules.codespan(s.slice(i))
    if (token) return this.put(el('code', undefined, [token.text]), i + token.raw.length)
    this.unclosedCode.add(length)
    if (this.open && s.length > end) return this.put(el('code', undefined, [s.slice(end).replaceAll('\n', ' ')]), s.length)
    return this.literal(length)
  }

  /** @param {string} c */
  run(c) {
    const { s, i } = this
    let end = i
    while (s[end] === c) end++
    if (c === '~' && end - i > 2) return this.literal(end - i)
    const run = runAt(s, i, end, this.inCJK)
    if (!run.opens && !run.closes) return this.literal(end - i)
    return this.put(run, end)
  }

  reference() {
    const found = at(reference, this.s, this.i)
    if (!found) return false
    const [raw, decimal, hex] = found
    if (!decimal && !hex) return this.put({ entity: raw }, this.i + raw.length)
    const point = decimal ? Number(decimal) : parseInt(hex, 16)
    this.text += point === 0 || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff) ? '\ufffd' : String.fromCodePoint(point)
    this.i += raw.length
    return true
  }

  angle() {
    const { s, i, pieces } = this
    const br = at(lineBreak, s, i)
    if (br) return this.put(el('br'), i + br[0].length)
    const paired = at(pairedTag, s, i)
    if (paired) return this.paired(paired[1].toLowerCase(), i + paired[0].length)
    const token = pieces.rules.autolink(s.slice(i, i + 4000))
    if (!token) return this.rawTag()
    pieces.state.linkEmitted = true
    return this.putAll(anchor(token.href, [token.text]), i + token.raw.length)
  }

  /** Any other tag is text, and as a whole: nothing in its attributes is Markdown. */
  rawTag() {
    const { s, i, pieces } = this
    const declaration = s[i + 1] === '!' || s[i + 1] === '?'
    if (declaration && this.unclosedTags.has('!')) return false
    const { inLink, inRawBlock } = pieces.state
    const token = pieces.rules.tag(s.slice(i, i + 2000))
    Object.assign(pieces.state, { inLink, inRawBlock })
    if (token) return this.literal(token.raw.length)
    if (declaration) this.unclosedTags.add('!')
    return false
  }

  /** @param {string} tag @param {number} from */
  paired(tag, from) {
    const { s, pieces } = this
    if (pieces.depth >= DEEPEST || this.unclosedTags.has(tag)) return false
    const marks = new RegExp(`<(/?)${tag}>`, 'gi')
    marks.lastIndex = from
    let depth = 1
    for (let m = marks.exec(s); m; m = marks.exec(s)) {
      depth += m[1] ? -1 : 1
      if (depth === 0) return this.put(el(tag, undefined, pieces.inlineTokens(s.slice(from, m.index))), marks.lastIndex)
    }
    this.unclosedTags.add(tag)
    if (!this.open) return false
    pieces.depth++
    const children = new Walk(pieces, s.slice(from), true, this.ended).nodes()
    pieces.depth--
    return this.put(el(tag, undefined, children), s.length)
  }

  note() {
    const found = at(footnote, this.s, this.i)
    if (!found) return false
    const n = this.pieces.context.note(found[1])
    if (!n) return false
    const button = el('button', { type: 'button', class: 'note-link', 'data-note': String(n), 'aria-label': t('footnote', { n }) }, [String(n)])
    return this.put(el('sup', undefined, [button]), this.i + found[0].length)
  }

  bracket() {
    const { s, i, pieces } = this
    if (pieces.failures > FAILURES) return false
    const src = s.slice(i)
    // Its rule costs more the more it finds, so it is not asked where it cannot match.
    const token = pieces.rules.link(src) ?? pieces.rules.reflink(src, pieces.tokens.links)
    pieces.state.linkParenPossible = this.closes
    if (token && token.type !== 'text') return this.putAll(token.type === 'image' ? image(token) : anchor(token.href, token.tokens), i + token.raw.length)
    if (this.lastAddress > i) pieces.failures++
    const full = s[i] === '[' && pieces.context.growing && !/[\w\])]/.test(s[i - 1] ?? '') && at(fullReference, s, i)
    if (full && /^[\p{L}]/u.test(full[1])) {
      pieces.context.hoped()
      return this.putAll(pieces.inlineTokens(full[1]), i + full[0].length)
    }
    return this.literal(s[i] === '!' ? 2 : 1)
  }

  mail() {
    if (this.pieces.state.inLink) return false
    const found = mailAt(this.text, this.s, this.i)
    if (!found) return false
    this.text = this.text.slice(0, -found.local.length)
    return this.putAll(anchor(`mailto:${found.address}`, [found.address]), this.i + found.address.length - found.local.length)
  }

  address() {
    const { s, i, pieces } = this
    const length = s.slice(i, i + 3).toLowerCase() === 'www' ? 4 : s.indexOf('/', i) + 2 - i
    if (pieces.state.inLink || /[A-Za-z0-9]/.test(s[i - 1] ?? '')) return this.literal(length)
    const token = pieces.rules.url(bareAddress(s, i))
    if (!token) return this.literal(length)
    return this.putAll(anchor(token.href, [token.text]), i + token.raw.length)
  }
}

/** @param {Node|Run|undefined} item */
const isBreak = (item) => typeof item === 'object' && 'tag' in item && item.tag === 'br'

/** @param {string} s @param {number} i */
function at2(s, i) {
  special.lastIndex = i
  return special.exec(s)
}

/** @param {string} href @param {Node[]} children @returns {Node[]} */
function anchor(href, children) {
  const file = offered(href)
  if (file) return [{ file, children }]
  const url = outward(href)
  // Who the address is of is hidden in it: it is no link, and is said as it is.
  if (!url && wordsOf(children) !== href && webHost(href)?.username) return [...children, ` (${href})`]
  return url ? [el('a', { href: url.href, target: '_blank', rel: 'noopener noreferrer nofollow' }, children)] : children
}

/** Remote images are links: to fetch them would tell a stranger who reads what. @param {any} token @returns {Node[]} */
function image({ href, tokens }) {
  const alt = wordsOf(tokens)
  if (inlineImage.test(href)) return [el('img', { src: href, alt })]
  const file = offered(href)
  if (file) return [{ file, children: alt ? [alt] : [] }]
  const url = outward(href)
  if (!url || url.protocol === 'mailto:') return [alt]
  const label = `${alt ? alt + ' · ' : ''}${t('imageBlocked', { host: url.host })} · ${t('imageOpen')}`
  return anchor(url.href, [el('span', { class: 'remote-image' }, [label])])
}
