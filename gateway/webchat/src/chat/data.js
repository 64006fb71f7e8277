// A value as text that a person reads: as JSON, indented as deep as that helps.

/** Deeper than this it is written in one piece: each level more would be indented by as much. */
const DEEPEST = 12

/** @param {unknown} value @returns {string} '' where it is nested too deep to be written at all */
export function written(value) {
  try {
    return write(value, 0)
  } catch {
    return ''
  }
}

/** @param {unknown} value @param {number} depth @returns {string} */
function write(value, depth) {
  if (value === null || typeof value !== 'object' || depth >= DEEPEST) return JSON.stringify(value) ?? 'null'
  const [open, close] = Array.isArray(value) ? ['[', ']'] : ['{', '}']
  const entries = Array.isArray(value) ? value.map((v) => write(v, depth + 1))
    : Object.entries(value).map(([k, v]) => `${JSON.stringify(k)}: ${write(v, depth + 1)}`)
  if (!entries.length) return open + close
  const indent = '  '.repeat(depth)
  return `${open}\n${entries.map((e) => `${indent}  ${e}`).join(',\n')}\n${indent}${close}`
}
