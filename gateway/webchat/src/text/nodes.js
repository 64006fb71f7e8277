// What an answer is drawn from: a tree of plain data, and its form as HTML.

/**
 * @typedef {string | Element | Entity | Formula | Code | File} Node
 *
 * @typedef {object} Element
 * @property {string} tag '' for none: its children stand for themselves
 * @property {Record<string, string>} [attrs]
 * @property {Node[]} children
 * @property {string} [key] what it was made from; equal keys have equal trees
 * @property {any} [drawn] what the page made of it
 *
 * @typedef {{entity: string}} Entity a named character reference, as it was written
 *
 * @typedef {object} Formula
 * @property {string} math
 * @property {boolean} display
 * @property {string} source as it was written: what is shown until it can be drawn
 *
 * @typedef {{file: string, children: Node[]}} File one of the workspace, by its path
 *
 * @typedef {object} Code
 * @property {string} code
 * @property {string} lang
 * @property {boolean} open it still grows
 * @property {any} [drawn]
 */

/** @param {string} text */
export const escape = (text) =>
  text.replace(/[&<>"']/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }[c] ?? c))

const empty = new Set(['br', 'hr', 'img'])

/** @param {string} tag @param {Record<string, string>} [attrs] @param {Node[]} [children] @returns {Element} */
export const el = (tag, attrs, children = []) => ({ tag, attrs, children })

/** @param {Node[]} nodes @param {(code: Code) => string} code @returns {string} */
export function serialize(nodes, code) {
  return nodes.map((n) => {
    if (typeof n === 'string') return escape(n)
    if ('entity' in n) return n.entity
    if ('math' in n) return `<span class="math${n.display ? ' display' : ''}">${escape(n.source)}</span>`
    if ('code' in n) return code(n)
    if ('file' in n) return `<span class="file">${serialize(n.children, code)}</span>`
    if (!n.tag) return serialize(n.children, code)
    const attrs = Object.entries(n.attrs ?? {}).map(([k, v]) => ` ${k}="${escape(v)}"`).join('')
    return empty.has(n.tag) ? `<${n.tag}${attrs}>` : `<${n.tag}${attrs}>${serialize(n.children, code)}</${n.tag}>`
  }).join('')
}

/** The words of it, without any element. @param {Node[]} nodes @returns {string} */
export const wordsOf = (nodes) => nodes.map((n) => {
  if (typeof n === 'string') return n
  if ('entity' in n) return n.entity
  if ('math' in n) return n.source
  return 'code' in n ? n.code : wordsOf(n.children)
}).join('')
