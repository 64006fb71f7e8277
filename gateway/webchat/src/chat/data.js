// A value as text that a person reads: as JSON, indented as deep as that helps.

/** Deeper than this it is written in one line: each level more would be indented by as much. */
const DEEPEST = 12

/**
 * What is nested without end is written, too, and costs no more than its length:
 * somebody may have to decide about it.
 * @param {unknown} value @param {number} [depth] @returns {string}
 */
export function written(value, depth = 0) {
  if (value === null || typeof value !== 'object' || depth >= DEEPEST) return flat(value)
  const [open, close] = Array.isArray(value) ? '[]' : '{}'
  const entries = Array.isArray(value) ? value.map((v) => written(v, depth + 1))
    : Object.entries(value).map(([k, v]) => `${JSON.stringify(k)}: ${written(v, depth + 1)}`)
  if (!entries.length) return open + close
  const indent = '  '.repeat(depth)
  return `${open}\n${entries.map((e) => `${indent}  ${e}`).join(',\n')}\n${indent}${close}`
}

/** As JSON in one line, however deeply it is nested: JSON.stringify ends with the stack. @param {unknown} value */
function flat(value) {
  let out = ''
  /** What is still to be written, the next at the end: texts as they are, and values. @type {(string|{value: unknown})[]} */
  const rest = [{ value }]
  for (let next; (next = rest.pop()) !== undefined;) {
    if (typeof next === 'string') out += next
    else if (next.value === null || typeof next.value !== 'object') out += JSON.stringify(next.value) ?? 'null'
    else {
      const list = Array.isArray(next.value)
      const inner = Object.entries(next.value)
      out += list ? '[' : '{'
      rest.push(list ? ']' : '}')
      for (const [i, [k, v]] of [...inner.entries()].reverse()) rest.push({ value: v }, `${i ? ',' : ''}${list ? '' : `${JSON.stringify(k)}:`}`)
    }
  }
  return out
}
