// Addresses that stand in the text without any brackets.

const han = '\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Hangul}'
// What never is part of an address: full-width punctuation and the quotation marks
// that Chinese shares with Latin.
const stop = /[\s<>\u3000-\u303f\uff00-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65‘’“”…—·]/u
const host = /^(?:https?:\/\/|ftp:\/\/|www\.)[\w.~%:@-]*/i
// `https://example.com/login然后`: Latin, then Chinese without anything between, is the text going on.
const goesOn = new RegExp(`[A-Za-z0-9)](?=[${han}])`, 'u')
const LONGEST = 2048

/**
 * The part of the text that can be an address, if one begins at i.
 * @param {string} s @param {number} i
 */
export function bareAddress(s, i) {
  let part = s.slice(i, i + LONGEST)
  const end = part.search(stop)
  if (end >= 0) part = part.slice(0, end)
  const head = host.exec(part)?.[0] ?? ''
  if (!/^[/?#]/.test(part.slice(head.length))) return head
  const on = goesOn.exec(part.slice(head.length))
  return on ? part.slice(0, head.length + on.index + 1) : part
}

const local = /[\w.+-]+$/
const domain = /@[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)+(?![\w-])/y

/**
 * A mail address around the @ at i; `text` is what was read up to it.
 * @param {string} text @param {string} s @param {number} i
 */
export function mailAt(text, s, i) {
  const name = local.exec(text.slice(-64))?.[0]
  domain.lastIndex = i
  const at = name && domain.exec(s)
  return at ? { local: name, address: name + at[0] } : null
}
