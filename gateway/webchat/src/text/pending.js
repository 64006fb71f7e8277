// The end of an answer that still grows, as far as it is decided: what may yet
// turn out to be a mark is kept back until it is known, so that nothing which was
// shown is taken away again.

/** No undecided end is longer. */
const WINDOW = 1000

const openReference = /(!?)\[([^[\]\n]*)(\](?:\([^)\n]*|\[[^\]\n]*)?)?$/
const openAddress = /<(?=(?:https?:|mailto:)[^\s<>]*$)/i
const marks = /(?:[*_~`$\\!]+|&#?\w{0,31}|<\/?[A-Za-z]{0,8})$/

/**
 * The decided part of a growing line of text.
 * @param {string} src @returns {string}
 */
export function decided(src) {
  const from = Math.max(0, src.length - WINDOW)
  let end = src.slice(from)
  const reference = openReference.exec(end)
  if (reference && end[reference.index - 1] !== '\\') {
    const [all, image, label, rest] = reference
    const keep = image || label.startsWith('^') ? '' : label
    if (!(label.startsWith('^') && rest === ']')) end = end.slice(0, -all.length) + keep
  }
  end = end.replace(openAddress, '').replace(marks, '')
  return src.slice(0, from) + end
}

const containers = /^(?:[ \t]*(?:>|[-*+](?=[ \t]|$)|\d{1,9}[.)](?=[ \t]|$)))*[ \t]*/
const fence = /^(`{3,}|~{3,})/
/** Lines that are not yet anything. */
const undecided = [
  /^[-*+=#>_][-*+=#>_ \t]*$/, // a list, a heading, a rule, an underline
  /^\d{1,9}[.)]?$/, // a numbered item
  /^`{1,2}$/, /^`{3,}[^`]*$/, /^~+$/, /^~{3,}.*$/, // a fence
  /^\$\$?$/, /^\\\[?$/, // a formula
  /^\|?[ \t]*:?-[-:| \t]*$/, // the second line of a table
  /^<\/?[a-z]*>?$/i, /^<details>[ \t]*<\/?[a-z]*$/i, // a tag
]
/** What can only stand where a block begins. */
const beginnings = [/^\[[ xX]?\]?$/, /^\[\^[^\]\n]*\]?$/, /^\[![a-z]*\]?$/i, /^\[[^\]\n]*\]?:?[ \t]*\S*$/]

/**
 * The decided part of the last block of a growing answer.
 * @param {string} raw @returns {string}
 */
export function decidedBlock(raw) {
  const at = raw.lastIndexOf('\n') + 1
  const line = raw.slice(at)
  if (line.length > WINDOW) return raw
  const body = line.slice(containers.exec(line)?.[0].length)
  const open = openFence(raw.slice(0, at))
  if (open) return body && body === open[0].repeat(body.length) ? raw.slice(0, Math.max(0, at - 1)) : raw
  const before = raw.slice(0, at)
  const begins = at === 0 || body.length < line.trimStart().length || /(?:^|\n)[ \t>]*\n$/.test(before)
  let out = raw
  if (body === '' || undecided.some((r) => r.test(body)) || (begins && beginnings.some((r) => r.test(body) && !isLink(body)))) out = before
  return beforeTable(out).replace(/\s+$/, (s) => (s.includes('\n') ? '' : s))
}

/** @param {string} body */
const isLink = (body) => /^\[[^\]\n]*\]\(/.test(body)

/** The fence that is open at the end of the text. @param {string} text */
function openFence(text) {
  let open = ''
  for (let at = 0; at < text.length;) {
    const end = text.indexOf('\n', at) < 0 ? text.length : text.indexOf('\n', at)
    // Only lines that can hold a fence are looked at closely: this runs at each frame.
    const line = text.slice(at, Math.min(end, at + 200))
    at = end + 1
    if (!line.includes('```') && !line.includes('~~~')) continue
    const body = line.slice(containers.exec(line)?.[0].length)
    const mark = fence.exec(body)?.[1]
    if (!mark) continue
    if (!open) open = mark[0] === '`' && body.slice(mark.length).includes('`') ? '' : mark
    else if (mark[0] === open[0] && mark.length >= open.length && body.trim() === mark) open = ''
  }
  return open
}

/** A table needs its whole second line before it is one. @param {string} text */
function beforeTable(text) {
  const start = text.lastIndexOf('\n\n') + 1
  const lines = text.slice(start).split('\n')
  const last = lines.length - 1
  const delimiter = (/** @type {string} */ l) => /^[ \t>]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-*:?[ \t]*)*$/.test(l) && l.includes('-')
  if (lines.slice(0, last).some((l) => delimiter(l) && l.includes('|'))) return text
  const header = last > 0 && (delimiter(lines[last]) || lines[last] === '') ? last - 1 : last
  const pipe = lines[header].search(/(?<!\\)\|/)
  if (pipe < 0 || /`[^`]*$/.test(lines[header].slice(0, pipe))) return text
  return text.slice(0, start + lines.slice(0, header).join('\n').length + (header ? 1 : 0) + pipe)
}
