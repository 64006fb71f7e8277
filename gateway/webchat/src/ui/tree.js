// The tree of an answer as elements of the page. Only what is on the lists of
// allowed.js is made; strings become text, never HTML.

import { Fragment, h } from 'preact'
import { addresses, attributes, tags } from '../text/allowed.js'
import { charactersOf } from '../text/entities.js'
import { wordsOf } from '../text/nodes.js'
import { CodeBlock } from './code.js'
import { FileChip } from './file.js'
import { Formula } from './formula.js'

/** @typedef {import('../text/nodes.js').Node} Node */

const allowedTags = new Set(tags)
const allowedAttributes = new Set(attributes)
/** What has a side of its own, for signs, a bar or an order of columns: it stands on that of its own words, and of no heading that the page adds. */
const sided = /^(?:ul|ol|blockquote|table|details|div)$/

/** @param {Node[]} nodes @returns {any[]} */
export const elements = (nodes) => nodes.map(element)

/** @param {Node} n @returns {any} the same object for the same node, which Preact then leaves alone */
function element(n) {
  if (typeof n === 'string') return n
  if ('entity' in n) return h(Characters, n)
  if ('math' in n) return h(Formula, n)
  if ('file' in n) return h(FileChip, { path: n.file, text: wordsOf(n.children) })
  if ('code' in n) return (n.drawn ??= h(CodeBlock, { code: n.code, lang: n.lang, open: n.open }))
  return (n.drawn ??= n.tag ? h(n.tag, checked(n), ...elements(n.children)) : h(Fragment, null, ...elements(n.children)))
}

/** @param {import('../text/nodes.js').Element} n */
function checked({ tag, attrs }) {
  if (!allowedTags.has(tag)) throw new Error(`an answer holds no ${tag}`)
  for (const [name, value] of Object.entries(attrs ?? {})) {
    const address = name === 'href' || name === 'src'
    if (!allowedAttributes.has(name) || (address && !addresses.test(value))) throw new Error(`an answer's ${tag} has no such ${name}`)
  }
  return sided.test(tag) || attrs?.class === 'alert-title' ? { ...attrs, dir: 'auto' } : attrs ?? null
}

/** @param {{entity: string}} props */
const Characters = ({ entity }) => charactersOf(entity)
