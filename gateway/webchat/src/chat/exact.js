// A text to the letter, for somebody who decides about it: what cannot be seen,
// and what looks like another character, is shown as an escape. Nothing is left
// out; only a run of the same unseen character is counted instead of repeated.

/** @typedef {{text: string} | {escape: string} | {word: string}} Part word: one that is written from right to left */

/** What a screen shows as nothing, as a blank, or only if a font happens to have it. */
const unseen = /^[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}\u2800\u17b4\u17b5]$/u
/** Signs that look like one of ASCII, and are none. */
const twins = /^[\u2010-\u2013\u2212\u2044\u2215\u2216\u29f8\u29f9\u2236\u02d0\ua789\u05c3\u01c3\u2024\u201a\u2223\u2758\u01c0\u05c0\u2032\u2035\u02b9-\u02bf\u02c8\u02ca\u02cb\u02d7\u02dc\u223c\u2217\u204e\u066a\u2039\u203a\u2768\u2769\u037e\u0387\u00b7\u2027\u30fb\u2019\u2018\u23ce\u2420]$/u
const rightToLeft = /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\p{Script=Adlam}\p{Script=Mandaic}\p{Script=Samaritan}]/u
const latin = /\p{Script=Latin}/u
/** Alphabets whose letters are taken for Latin ones. */
const alike = /[\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Armenian}\p{Script=Cherokee}\p{Script=Coptic}\p{Script=Lisu}\p{Script=Georgian}\p{Script=Deseret}\p{Script=Osage}\p{Script=Gothic}]/u
/** Letters of these that are drawn as Latin ones: a word of nothing else passes for another word. */
const mimics = /^[АВЕЅІЈКМНОРСТУХҮԌԚԜаеѕіјкорсухуүһԁԛԝѡӏӀѵѴΑΒΕΖΗΙΚΜΝΟΡΤΥΧανορυχιկհոսօցզյղ\p{Script=Cherokee}\p{Script=Lisu}\p{M}\p{Nd}]+$/u
/** Punctuation of Chinese and Japanese text, which nobody takes for a command's. */
const wide = /[\u3000-\u303f\uff01\uff08\uff09\uff0c\uff1a\uff1b\uff1f\uff5e\u2026\u2025\u2460-\u24ff]/u
const emoji = /\p{Extended_Pictographic}|\p{Regional_Indicator}|\p{Emoji_Modifier}/u

/** Names that people know. @type {Record<string, string>} */
const names = { '\n': '\\n', '\r': '\\r', '\t': '\\t', ' ': '␠', '\0': '\\0' }

/** @param {string} c */
const escape = (c) => names[c] ?? `\\u{${(c.codePointAt(0) ?? 0).toString(16).toUpperCase()}}`

/** Whether it is ASCII in all but its number: wide letters, letters of formulas, ligatures. @param {string} c */
function disguised(c) {
  if (c <= '\x7f' || wide.test(c)) return false
  return /^[\x21-\x7e]+$/.test(c.normalize('NFKC')) && !/[ªº²³¹™]/.test(c)
}

/** @param {string} text @returns {Part[]} */
export function exactly(text) {
  /** @type {Part[]} */
  const parts = []
  for (const { 0: piece, index } of text.matchAll(/[\p{L}\p{M}\p{Nd}]+|(.)\1*|[^]/gsu)) {
    if (!/^[\p{L}\p{M}\p{Nd}]/u.test(piece)) signs(parts, piece)
    else word(parts, piece, /^\s?$/.test(text.charAt(index - 1)) && /^\s?$/.test(text.charAt(index + piece.length)))
  }
  return guard(parts)
}

/** @param {Part[]} parts @param {string} piece @param {boolean} alone between blanks, where one letter may be a word of its own */
function word(parts, piece, alone) {
  const mixed = alike.test(piece) && (latin.test(piece) || (mimics.test(piece) && !(alone && /^[аеіосукя]$/iu.test(piece))))
  // Beside Latin letters nobody could tell in which order such a word is written.
  const rtl = rightToLeft.test(piece)
  if (rtl && !latin.test(piece)) {
    parts.push({ word: piece })
    return
  }
  let marks = /^\p{M}/u.test(piece) ? 2 : 0 // on nothing
  for (const c of piece) {
    const mark = /\p{M}/u.test(c)
    marks = mark ? marks + 1 : 0
    if (unseen.test(c) || disguised(c) || (mixed && alike.test(c)) || (rtl && rightToLeft.test(c)) || marks > 2) parts.push({ escape: escape(c) })
    else push(parts, c)
  }
}

/** The same sign once or several times. @param {Part[]} parts @param {string} run */
function signs(parts, run) {
  const all = [...run]
  const [c] = all
  if (c === '\n') return lines(parts, all.length)
  if (c === ' ' && all.length < 3) return push(parts, run)
  if (c !== ' ' && !unseen.test(c) && !twins.test(c) && !disguised(c)) return push(parts, run)
  const one = escape(c)
  if (all.length < 4) for (let i = 0; i < all.length; i++) parts.push({ escape: one })
  else parts.push({ escape: `${one}×${all.length}` })
}

/** The end of a line is a sign and a new line. @param {Part[]} parts @param {number} n */
function lines(parts, n) {
  parts.push({ escape: n < 4 ? '⏎' : `⏎×${n}` })
  push(parts, '\n')
  for (let i = 1; i < n && n < 4; i++) {
    parts.push({ escape: '⏎' })
    push(parts, '\n')
  }
}

/** @param {Part[]} parts @param {string} text */
function push(parts, text) {
  const last = parts.at(-1)
  if (last && 'text' in last) last.text += text
  else parts.push({ text })
}

/** What is unseen but belongs to a picture before it stays; a blank at an end of the text, or beside a line's, is said. @param {Part[]} parts */
function guard(parts) {
  /** @type {Part[]} */
  const out = []
  for (const [i, part] of parts.entries()) {
    const before = out.at(-1)
    if ('escape' in part && /^\\u\{(FE0F|200D)\}$/.test(part.escape) && before && 'text' in before && emoji.test([...before.text].at(-1) ?? '')) {
      before.text += part.escape === '\\u{FE0F}' ? '\uFE0F' : '\u200D'
      continue
    }
    if (!('text' in part)) {
      out.push(part)
      continue
    }
    const last = i === parts.length - 1
    const next = parts[i + 1]
    const ends = last || (next && 'escape' in next && next.escape.startsWith('⏎'))
    const [, lead, body, tail] = /** @type {RegExpExecArray} */ (/^( *)([^]*?)( *)$/.exec(part.text))
    if (lead && (i === 0 || out.at(-1) === undefined)) out.push({ escape: '␠'.repeat(lead.length) })
    else if (lead) push(out, lead)
    if (body) push(out, body)
    if (tail && ends && body) out.push({ escape: '␠'.repeat(tail.length) })
    else if (tail) push(out, tail)
  }
  return out
}
