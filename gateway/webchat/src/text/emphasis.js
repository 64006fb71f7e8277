// Emphasis and strike-through: which runs of *, _ and ~ belong together.
//
// The rules are CommonMark's, with one change: beside Chinese, Japanese and
// Korean text, which has no spaces around words, punctuation does not keep a
// run from opening or closing. The work grows with the number of runs, never
// with its square, whatever the runs are.

/** @typedef {import('./nodes.js').Node} Node */
/** @typedef {{use: number, dropped: boolean}} Pair */
/**
 * @typedef {object} Run
 * @property {string} delimiter
 * @property {number} length as it was written
 * @property {number} left how many are not used yet
 * @property {boolean} opens
 * @property {boolean} closes
 * @property {boolean} hopeful may be closed by the end of a text that still grows
 * @property {Pair[]} ends
 * @property {Pair[]} starts
 */

/** Emphasis in emphasis beyond this is shown as it was written. */
const DEEPEST = 24

const cjk = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Bopomofo}\u3000-\u303f\u30fb\u30fc\ufe10-\ufe1f\ufe30-\ufe4f\uff01-\uffee]/u
// Quotation marks, dashes and dots that Chinese shares with Latin: their width
// does not say which they are, so they never stand in the way.
const shared = /[‘’“”…—·]/u
const punctuation = /[\p{P}\p{S}]/u
const letter = /[\p{L}\p{N}]/u
const space = /\s/u

/** @param {string} s @param {number} i */
function before(s, i) {
  const low = s.charCodeAt(i - 1)
  return low >= 0xdc00 && low <= 0xdfff && i > 1 ? s.slice(i - 2, i) : s[i - 1] ?? ''
}

/** @param {string} s @param {number} i */
const after = (s, i) => (i < s.length ? String.fromCodePoint(/** @type {number} */ (s.codePointAt(i))) : '')

/** @param {string} s */
export const hasCJK = (s) => cjk.test(s)

/**
 * The run of delimiters from i to end, judged by what stands beside it.
 * @param {string} s @param {number} i @param {number} end @param {boolean} inCJK the text around holds such characters
 * @returns {Run}
 */
export function runAt(s, i, end, inCJK) {
  const delimiter = s[i]
  const length = end - i
  const prev = before(s, i)
  const next = after(s, end)
  const prevSpace = !prev || space.test(prev)
  const nextSpace = !next || space.test(next)
  const prevCJK = cjk.test(prev)
  const nextCJK = cjk.test(next)
  const blocks = (/** @type {string} */ c, /** @type {boolean} */ isCJK) => punctuation.test(c) && !isCJK && !shared.test(c)
  const prevPunct = blocks(prev, prevCJK)
  const nextPunct = blocks(next, nextCJK)
  // In Chinese text a colon of either width ends what is bold: `**步骤1:**Open`.
  const loose = inCJK && (delimiter === '*' || delimiter === '~') && length === 2
  const left = !nextSpace && (!nextPunct || prevSpace || prevPunct || prevCJK || loose)
  const right = !prevSpace && (!prevPunct || nextSpace || nextPunct || nextCJK || loose)
  let opens = left
  let closes = right
  if (delimiter === '_') {
    opens = left && (!right || punctuation.test(prev))
    closes = right && (!left || punctuation.test(next))
  } else if (delimiter === '~' && length === 1) {
    // A single one is more often "about" or a range (`1~2天，3~5天`) than a mark.
    opens = left && !letter.test(prev)
    closes = right && !letter.test(next)
  }
  const inWord = !prevCJK && !nextCJK && letter.test(prev) && letter.test(next)
  return { delimiter, length, left: length, opens, closes, hopeful: opens && !inWord && (length === 2 || !closes || prevCJK || nextCJK), ends: [], starts: [] }
}

/** @param {Run} open @param {Run} close */
function match(open, close) {
  if (open.delimiter !== close.delimiter) return false
  if (open.delimiter === '~') return open.length === close.length
  if (!open.closes && !close.opens) return true
  return (open.length + close.length) % 3 !== 0 || (open.length % 3 === 0 && close.length % 3 === 0)
}

/** @param {Run} run */
const useOf = (run) => (run.delimiter === '~' ? run.left : run.left >= 2 ? 2 : 1)

/**
 * Pairs the runs among the items and puts what is between them into elements.
 * @param {(Node|Run)[]} items @param {boolean} growing what is open at the end is taken as closed there
 * @returns {Node[]}
 */
export function emphasise(items, growing) {
  /** @type {{run: Run, at: number}[]} */
  const openers = []
  /** @type {Map<string, number>} */
  const searched = new Map()
  items.forEach((item, at) => {
    if (!isRun(item)) return
    if (item.closes) close(item, at, openers, searched)
    if (item.opens && item.left > 0) openers.push({ run: item, at })
  })
  /** @type {Pair[]} */
  const atEnd = []
  if (growing) {
    for (const { run } of openers.reverse()) {
      while (run.hopeful && run.left > 0 && (run.delimiter !== '~' || run.length === 2)) atEnd.push(pair(run))
    }
  }
  return build(items, atEnd)
}

/** @param {any} item @returns {item is Run} */
const isRun = (item) => typeof item === 'object' && 'delimiter' in item

/** @param {Run} open @returns {Pair} */
function pair(open) {
  const p = { use: useOf(open), dropped: false }
  open.left -= p.use
  open.starts.push(p)
  return p
}

/** @param {Run} run @param {number} at @param {{run: Run, at: number}[]} openers @param {Map<string, number>} searched */
function close(run, at, openers, searched) {
  while (run.left > 0) {
    const key = `${run.delimiter}${run.opens}${run.length % 3}${run.delimiter === '~' ? run.length : ''}`
    const bottom = searched.get(key) ?? -1
    let o = openers.length - 1
    while (o >= 0 && openers[o].at > bottom && !match(openers[o].run, run)) o--
    if (o < 0 || openers[o].at <= bottom) {
      searched.set(key, at - 1)
      return
    }
    const open = openers[o].run
    openers.length = o + 1
    const use = open.left >= 2 && run.left >= 2 ? 2 : 1
    const p = { use: open.delimiter === '~' ? open.length : use, dropped: false }
    open.left -= p.use
    run.left -= p.use
    open.starts.push(p)
    run.ends.push(p)
    if (open.left === 0) openers.pop()
  }
}

/** @param {(Node|Run)[]} items @param {Pair[]} atEnd @returns {Node[]} */
function build(items, atEnd) {
  /** @type {Node[][]} */
  const open = [[]]
  const add = (/** @type {Node} */ n) => {
    const into = open[open.length - 1]
    const last = into[into.length - 1]
    if (typeof n === 'string' && typeof last === 'string') into[into.length - 1] = last + n
    else if (n !== '') into.push(n)
  }
  const end = (/** @type {Pair} */ p, /** @type {string} */ delimiter) => {
    if (p.dropped) add(delimiter.repeat(p.use))
    else open.pop()
  }
  for (const item of items) {
    if (!isRun(item)) {
      add(item)
      continue
    }
    for (const p of item.ends) end(p, item.delimiter)
    if (item.left) add(item.delimiter.repeat(item.left))
    for (const p of item.starts.reverse()) {
      if (open.length > DEEPEST) {
        p.dropped = true
        add(item.delimiter.repeat(p.use))
        continue
      }
      const children = /** @type {Node[]} */ ([])
      add({ tag: item.delimiter === '~' ? 'del' : p.use === 2 ? 'strong' : 'em', children })
      open.push(children)
    }
  }
  for (const p of atEnd) if (!p.dropped) open.pop()
  return open[0]
}
