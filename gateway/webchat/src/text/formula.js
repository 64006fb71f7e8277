// Where a formula begins and ends in a line of text. A dollar is money far more
// often than mathematics, and an escaped bracket is often only a bracket, so
// what is in between has to look like a formula.

/** @typedef {{tex: string, display: boolean, end: number}} Formula */

/** No formula is longer; what is longer is text. */
const LONGEST = 8000
const cjk = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303f\uff00-\uffef]/u

/** Prose has words; a formula has these. */
const signs = /[\^_={}<>|+]|\\[A-Za-z]/
/** @param {string} tex */
const hasSigns = (tex) => signs.test(tex)
/** @param {string} tex */
const words = (tex) => tex.match(/[A-Za-z]{3,}/g)?.length ?? 0

/** What stands in \(…\). @param {string} tex */
function fitsParentheses(tex) {
  const body = tex.trim()
  if (!body) return false
  if (hasSigns(body) || /[*/\d]/.test(body)) return true
  return !cjk.test(body) && words(body) < 2
}

/** What stands in \[…\]. @param {string} tex */
const fitsBrackets = (tex) => tex.trim() !== '' && (/^\s/.test(tex) || hasSigns(tex))

/** What stands in $…$. @param {string} tex */
function fitsDollars(tex) {
  if (tex.includes('`')) return false
  if (hasSigns(tex)) return !/^\d[\d,.]*[^\\^_={}]*\s[A-Za-z]{3,}\s[^\\^_={}]*$/.test(tex)
  if (cjk.test(tex)) return false
  return /^\d/.test(tex) ? !/[A-Za-z]{2,}/.test(tex) : words(tex) < 3
}

/**
 * The formula that begins at i, where a backslash or a dollar stands.
 * @param {string} s @param {number} i @returns {Formula|null}
 */
export function formulaAt(s, i) {
  if (s[i] === '\\') {
    const display = s[i + 1] === '['
    return enclosed(s, i, display ? '\\[' : '\\(', display ? '\\]' : '\\)', display, display ? fitsBrackets : fitsParentheses)
  }
  if (s[i + 1] === '$') return enclosed(s, i, '$$', '$$', true, (tex) => tex.trim() !== '')
  return dollars(s, i)
}

/** @param {string} s @param {number} i @param {string} open @param {string} close @param {boolean} display @param {(tex: string) => boolean} fits @returns {Formula|null} */
function enclosed(s, i, open, close, display, fits) {
  // Looking no further than the next beginning keeps many beginnings cheap.
  const next = open === close ? -1 : s.indexOf(open, i + 2)
  const part = s.slice(i + 2, next < 0 ? i + 2 + LONGEST : Math.min(next, i + 2 + LONGEST))
  const at = part.indexOf(close)
  if (at < 0) return null
  const tex = part.slice(0, at)
  if (/\n[ \t]*\n/.test(tex) || !fits(tex)) return null
  return { tex: tex.trim(), display, end: i + 2 + at + 2 }
}

/** @param {string} s @param {number} i @returns {Formula|null} */
function dollars(s, i) {
  if (!canOpen(s, i)) return null
  let end = s.indexOf('$', i + 1)
  while (end > 0 && s[end - 1] === '\\') end = s.indexOf('$', end + 1)
  if (end < 0 || end - i > 1000) return null
  const tex = s.slice(i + 1, end)
  const after = s[end + 1] ?? ''
  if (/\s$/.test(tex) || tex.includes('\n\n') || /[A-Za-z0-9$]/.test(after)) return null
  if (/[({]/.test(after) && /^[({]/.test(tex)) return null
  return fitsDollars(tex) ? { tex, display: false, end: end + 1 } : null
}

/** @param {string} s @param {number} i */
const canOpen = (s, i) => !/[A-Za-z0-9$\\]/.test(s[i - 1] ?? '') && /[^\s$]/.test(s[i + 1] ?? '')

/**
 * Whether what begins at i may still become a formula when more text comes.
 * Only asked at the end of a text that grows, so that a half formula is not shown.
 * @param {string} s @param {number} i @param {boolean} [ended] a line ends where the text does
 */
export function mayBecomeFormula(s, i, ended = false) {
  const rest = s.slice(i + 1)
  if (/\n[ \t]*\n/.test(rest)) return false
  // What was said no to once is shown, so each answer is that for what stands before the first sign.
  const sign = rest.slice(1).search(signs)
  const head = sign < 0 ? rest : rest.slice(0, sign + 1)
  if (s[i] === '\\') return rest.length < LONGEST && !rest.includes(rest[0] === '[' ? '\\]' : '\\)') && words(head) < 2
  if (s[i + 1] === '$') return rest.length < LONGEST
  if (/^\d[\d,.]*<(?:https?|mailto):/.test(rest)) return false
  if (ended || !canOpen(s, i) || rest.includes('$') || rest.includes('\n') || rest.length > 200) return false
  return !/^\d[\d,.]*[^\d,.\\^_={}+*/<>-]/.test(rest) && words(head) < 2 && !cjk.test(head)
}
