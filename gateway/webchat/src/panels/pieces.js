// Texts of others in pieces that can be shown one after the other, so that a long
// one costs no more than what is looked at.

/** Characters of a piece. */
export const PIECE = 4096
/** How far before the end of a piece a blank is looked for. */
const NEAR = 200

/**
 * The pieces of a text. They end at a blank or a line's end where there is one, and
 * never within a character.
 * @param {string} text @param {number} most pieces that are wanted @returns {{pieces: string[], left: number}} left: characters that follow
 */
export function piecesOf(text, most) {
  /** @type {string[]} */
  const pieces = []
  let at = 0
  while (at < text.length && pieces.length < most) {
    let end = Math.min(text.length, at + PIECE)
    if (end < text.length) {
      const blank = Math.max(text.lastIndexOf('\n', end - 1), text.lastIndexOf(' ', end - 1))
      if (blank >= end - NEAR && blank > at) end = blank + 1
      else if (/[\ud800-\udbff]/.test(text[end - 1])) end -= 1
    }
    pieces.push(text.slice(at, end))
    at = end
  }
  return { pieces, left: text.length - at }
}

/** Parameters that are listed; the whole definition has all. */
export const LISTED = 40

/** @typedef {{name: string, type: string, required: boolean, description: string}} Parameter */

/**
 * The parameters that a schema names, as people read them. Nothing that it says is
 * taken to be of the right kind.
 * @param {any} schema @returns {{parameters: Parameter[], left: number}}
 */
export function parametersOf(schema) {
  const properties = isObject(schema?.properties) ? schema.properties : {}
  const required = new Set(Array.isArray(schema?.required) ? schema.required : [])
  const names = Object.keys(properties)
  const parameters = names.slice(0, LISTED).map((name) => {
    const p = isObject(properties[name]) ? properties[name] : {}
    return { name, type: typeOf(p), required: required.has(name), description: typeof p.description === 'string' ? p.description : '' }
  })
  return { parameters, left: names.length - parameters.length }
}

/** @param {any} p */
function typeOf(p) {
  if (typeof p.type === 'string') return p.type.slice(0, 40)
  if (Array.isArray(p.type)) return p.type.filter((/** @type {unknown} */ x) => typeof x === 'string').join(' | ').slice(0, 40)
  return ''
}

/** @param {unknown} v @returns {v is Record<string, any>} */
const isObject = (v) => typeof v === 'object' && v !== null && !Array.isArray(v)
