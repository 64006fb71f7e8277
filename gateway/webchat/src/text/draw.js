// Blocks into the tree that is drawn. What did not change since the last time is
// the same object again, at any depth: an item of a list, a row of a table, so
// that only what grows is drawn anew.

import { t } from '../i18n/language.js'
import { inline, noContext } from './inline.js'
import { lex } from './lexer.js'
import { el } from './nodes.js'
import { decidedBlock, openFence } from './pending.js'

/** @typedef {import('./nodes.js').Node} Node */
/** @typedef {import('./nodes.js').Element} Element */
/** @typedef {import('./inline.js').Context} Context */

const alerts = /** @type {const} */ ({ note: 'alertNote', tip: 'alertTip', important: 'alertImportant', warning: 'alertWarning', caution: 'alertCaution' })
const alertLine = /^[ \t]*\[!(note|tip|important|warning|caution)\][ \t]*(?:\n|$)/i

/**
 * @param {string} raw one block @param {Context} [context]
 * @param {boolean} [open] it still grows
 * @param {Node[]} [before] what it was drawn as before
 * @returns {Node[]}
 */
export function draw(raw, context = noContext(), open = false, before = []) {
  const text = open ? decidedBlock(raw) : raw
  const ended = open && /^[ \t]*\n/.test(raw.slice(text.length))
  const { tokens, spent } = lex(text, open)
  return new Drawing(context, ended, spent).blocks(tokens, open, before)
}

class Drawing {
  /** @param {Context} context @param {boolean} [ended] a line ends where the text does @param {boolean} [spent] the text cost too much, so nothing of it is kept */
  constructor(context, ended = false, spent = false) {
    this.context = context
    this.ended = ended
    this.spent = spent
  }

  /** @param {any[]} tokens @param {boolean} open @param {Node[]} before @returns {Node[]} */
  blocks(tokens, open, before) {
    const shown = settled(tokens, open).filter((token) => token.type !== 'space' && token.type !== 'def' && token.type !== 'footnote')
    return shown.map((token, i) => this.kept(before[i], keyOf(token), open && token === tokens[tokens.length - 1], (old) =>
      this.block(token, open && token === tokens[tokens.length - 1], old)))
  }

  /**
   * The element as before, when it was made from the same and is complete.
   * @param {Node|undefined} old @param {string} key @param {boolean} open @param {(old: Node[]) => Node} make
   */
  kept(old, key, open, make) {
    const element = typeof old === 'object' && 'tag' in old ? old : undefined
    if (!open && !this.spent && element && element.key === key) return element
    const made = make(element?.children ?? [])
    if (typeof made === 'object' && 'tag' in made && !open && !this.spent) made.key = key
    return made
  }

  /** @param {any} token @param {boolean} open @param {Node[]} old @returns {Node} */
  block(token, open, old) {
    switch (token.type) {
      case 'heading': return el(`h${token.depth}`, undefined, this.text(token.text, open))
      case 'hr': return el('hr')
      case 'code': return { code: token.codeBlockStyle === 'indented' ? token.text.replace(/\n+$/, '') : token.text.replace(/\n$/, ''), lang: /^[\w+#.-]+/.exec(token.lang ?? '')?.[0] ?? '', open: open && (token.codeBlockStyle === 'indented' || openFence(token.raw) !== '') }
      case 'formula': return { math: token.tex, display: true, source: token.source }
      case 'list': return this.list(token, open, old)
      case 'table': return this.table(token, open, old)
      case 'blockquote': return this.quote(token, open, old)
      case 'details': return this.details(token, open, old)
      case 'html': return el('p', { class: 'plain' }, [token.text.trimEnd()])
      case 'plain': return el('p', { class: 'plain' }, [token.text.trimEnd()])
      case 'line': return el('', undefined, this.text(token.text, open))
      default: return el('p', undefined, this.text(withoutMargins(token.text ?? token.raw), open))
    }
  }

  /** @param {string} text @param {boolean} open */
  text(text, open) {
    return inline(text, this.context, open, this.ended)
  }

  /** @param {any} token @param {boolean} open @param {Node[]} old */
  list(token, open, old) {
    const last = token.items.length - 1
    const wide = token.ordered ? wideNumbers(token.start + last) : ''
    const attrs = { ...(token.ordered && token.start !== 1 && { start: String(token.start) }), ...(wide && { class: wide }) }
    return el(token.ordered ? 'ol' : 'ul', attrs, token.items.map((/** @type {any} */ item, /** @type {number} */ i) => {
      const grows = open && i === last
      return this.kept(old[i], `${token.loose}${item.raw}`, grows, (children) => this.item(item, token.loose, grows, children))
    }))
  }

  /** @param {any} item @param {boolean} loose @param {boolean} open @param {Node[]} old */
  item(item, loose, open, old) {
    const tokens = settled(item.tokens, open, 'text').filter((/** @type {any} */ token) => token.type !== 'checkbox' && token.type !== 'space').map(
      (/** @type {any} */ token, /** @type {number} */ i) => ({
        ...token,
        // The lines of a tight list stand in their item without a paragraph.
        type: !loose && token.type === 'text' ? 'line' : token.type,
        text: item.task && i === 0 ? token.text.replace(/^\[[ xX]\][ \t]+/, '') : token.text,
      }))
    const children = this.blocks(tokens, open, old)
    const [first] = children
    const box = item.checked ? '☑ ' : '☐ '
    if (item.task && typeof first === 'object' && 'tag' in first && /^(?:p|h\d)?$/.test(first.tag)) {
      children[0] = el(first.tag, undefined, [box, ...first.children])
    } else if (item.task) children.unshift(el('', undefined, [box]))
    return el('li', item.task ? { class: 'task' } : undefined, children)
  }

  /** @param {any} token @param {boolean} open @param {Node[]} old */
  table(token, open, old) {
    // Its last row was read as one that grows, but it is the end of an item or a quote only.
    if (token.grows && !open) [token] = lex(token.raw).tokens
    // It may have been a paragraph before.
    const [grown] = old
    const [head, body] = /** @type {Element[]} */ (typeof grown === 'object' && 'tag' in grown && grown.tag === 'table' ? grown.children : [])
    const last = token.rows.length - 1
    const rows = token.rows.map((/** @type {any[]} */ cells, /** @type {number} */ i) =>
      this.kept(body?.children[i], cells.map((c) => c.text).join('\0'), open && i === last, () => this.row(cells, 'td', open && i === last)))
    const header = this.kept(head?.children[0], token.header.map((/** @type {any} */ c) => c.text).join('\0'), false, () => this.row(token.header, 'th', false))
    const parts = [el('thead', undefined, [header]), ...(rows.length ? [el('tbody', undefined, rows)] : [])]
    return el('div', { class: 'table', tabindex: '0' }, [el('table', undefined, parts)])
  }

  /** @param {any[]} cells @param {string} tag @param {boolean} open */
  row(cells, tag, open) {
    const written = cells.findLastIndex((c) => c.text)
    return el('tr', undefined, cells.map((c, i) => el(tag, c.align ? { class: `align-${c.align}` } : undefined, this.text(c.text, open && i === written))))
  }

  /** @param {any} token @param {boolean} open @param {Node[]} old */
  quote(token, open, old) {
    const first = token.tokens.find((/** @type {any} */ x) => x.type !== 'space')
    const kind = first?.type === 'paragraph' && alertLine.exec(first.text)
    if (!kind) return el('blockquote', undefined, this.blocks(token.tokens, open, old))
    const name = /** @type {keyof typeof alerts} */ (kind[1].toLowerCase())
    const rest = first.text.slice(kind[0].length)
    const tokens = token.tokens.flatMap((/** @type {any} */ x) => (x !== first ? [x] : rest ? [{ ...x, text: rest }] : []))
    const title = el('p', { class: 'alert-title' }, [t(alerts[name])])
    return el('div', { class: `alert alert-${name}` }, [title, ...this.blocks(tokens, open, old.slice(1))])
  }

  /** @param {any} token @param {boolean} open @param {Node[]} old */
  details(token, open, old) {
    if (open && !token.summary && !token.tokens.length) return el('')
    const summary = el('summary', undefined, token.summary ? this.text(token.summary, open && !token.tokens.length) : [t('details')])
    return el('details', undefined, [summary, ...this.blocks(token.tokens, open, old.slice(1))])
  }
}

/** Which room the numbers of a list need, by the last of them. @param {number} n */
const wideNumbers = (n) => (n < 100 ? '' : n < 1000 ? 'digits-3' : n < 100_000 ? 'digits-5' : 'digits-9')

/** @param {string} text a paragraph begins and ends with a word */
const withoutMargins = (text) => text.replace(/^[ \t]+/, '').slice(0, text.length).replace(/(?:^|[^ \t])[ \t]+$/, (s) => s.trimEnd())

/**
 * A formula that begins where an item or a quote ends may grow only in the last of
 * them, and at its very end; elsewhere it is none, and what it was taken for is read
 * again.
 * @param {any[]} tokens @param {boolean} open @param {string} [paragraph] what a paragraph is called there
 */
function settled(tokens, open, paragraph = 'paragraph') {
  const at = tokens.findIndex((token) => token.unfinished)
  if (at < 0 || (open && at === tokens.length - 1)) return tokens
  // A paragraph goes on in its first line, and it in a line that the quote's signs were left out of.
  const isText = (/** @type {any} */ token) => token?.type === 'paragraph' || token?.type === 'text'
  const from = isText(tokens[at - 1]) ? at - 1 : at
  const to = isText(tokens[at + 1]) ? at + 2 : at + 1
  const raw = tokens.slice(from, to).map((token) => token.raw).reduce((a, b) => (a.endsWith('\n') ? a + b : `${a}\n${b}`))
  const again = lex(raw).tokens.map((token) => (token.type === 'paragraph' ? { ...token, type: paragraph } : token))
  return settled([...tokens.slice(0, from), ...again, ...tokens.slice(to)], open, paragraph)
}

/** @param {any} token */
const keyOf = (token) => `${token.type}${token.raw}`

/**
 * The footnotes that a block defines, in their order. @param {string} raw @returns {{label: string, tokens: any[]}[]}
 */
export function notesIn(raw) {
  /** @type {{label: string, tokens: any[]}[]} */
  const found = []
  const visit = (/** @type {any[]} */ tokens) => {
    for (const token of tokens) {
      if (token.type === 'footnote') found.push(token)
      else if (token.type === 'list') token.items.forEach((/** @type {any} */ item) => visit(item.tokens))
      else if (token.type === 'blockquote' || token.type === 'details') visit(token.tokens)
    }
  }
  if (raw.includes('[^')) visit(lex(raw).tokens)
  return found
}

/** @param {any[]} tokens @param {Context} context @returns {Node[]} */
export const drawTokens = (tokens, context) => new Drawing(context).blocks(tokens, false, [])
