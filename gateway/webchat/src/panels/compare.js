// What is different between two texts, word by word; and a server's changes, tool
// by tool.

/** @typedef {{text: string, same: boolean}} Stretch */

/** Words of the part that differs up to which it is compared; more is shown as one. */
const MOST = 1200

/** Words, blanks and signs; of what is written without blanks, each character. @param {string} text */
const split = (text) => text.match(/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]|(?:(?![\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}])[\p{L}\p{M}\p{Nd}_])+|\s+|[^]/gu) ?? []

/**
 * Both texts in stretches that are the same on either side, or are there on one alone.
 * @param {string} a @param {string} b @returns {{a: Stretch[], b: Stretch[]}}
 */
export function compare(a, b) {
  const x = split(a)
  const y = split(b)
  let start = 0
  while (start < x.length && start < y.length && x[start] === y[start]) start++
  let end = 0
  while (end < x.length - start && end < y.length - start && x[x.length - 1 - end] === y[y.length - 1 - end]) end++
  const left = x.slice(start, x.length - end)
  const right = y.slice(start, y.length - end)
  const marks = left.length > MOST || right.length > MOST ? { a: left.map(() => false), b: right.map(() => false) } : common(left, right)
  const frame = (/** @type {string[]} */ all, /** @type {string[]} */ middle, /** @type {boolean[]} */ same) => stretches([
    ...all.slice(0, start).map((text) => ({ text, same: true })), ...middle.map((text, i) => ({ text, same: same[i] })),
    ...all.slice(all.length - end).map((text) => ({ text, same: true })),
  ])
  return { a: frame(x, left, marks.a), b: frame(y, right, marks.b) }
}

/** Which words belong to the longest row that both have. @param {string[]} a @param {string[]} b */
function common(a, b) {
  const width = b.length + 1
  const table = new Uint16Array((a.length + 1) * width)
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      table[i * width + j] = a[i] === b[j] ? table[(i + 1) * width + j + 1] + 1 : Math.max(table[(i + 1) * width + j], table[i * width + j + 1])
    }
  }
  const same = { a: a.map(() => false), b: b.map(() => false) }
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    if (a[i] === b[j]) same.a[i++] = same.b[j++] = true
    else if (table[(i + 1) * width + j] >= table[i * width + j + 1]) i++
    else j++
  }
  return same
}

/** @param {Stretch[]} words @returns {Stretch[]} neighbours of one kind as one */
function stretches(words) {
  /** @type {Stretch[]} */
  const out = []
  for (const { text, same } of words) {
    const last = out.at(-1)
    if (last && last.same === same) last.text += text
    else out.push({ text, same })
  }
  return out
}

/** @typedef {{name: string, description: string, inputSchema: any}} Tool */
/** @typedef {{tool: string, what: string, was?: Tool}} Change */
/** @typedef {{tool: string, what: string[], was?: Tool, now?: Tool}} ToolChange */

/**
 * A server's changes with each tool once.
 * @param {readonly Change[]} changes @param {readonly Tool[]} tools as they are now @returns {ToolChange[]}
 */
export function byTool(changes, tools) {
  const now = new Map(tools.map((t) => [t.name, t]))
  /** @type {Map<string, ToolChange>} */
  const all = new Map()
  for (const { tool, what, was } of changes) {
    const known = all.get(tool)
    if (known) known.what.push(what)
    else all.set(tool, { tool, what: [what], was, now: what === 'removed' ? undefined : now.get(tool) })
  }
  return [...all.values()]
}
