// Text of others for reading: what would reorder, hide or overwrite the text beside it
// is shown as an escape. Colours of a terminal are left out. For somebody who decides
// there is exact.js, which shows more.

/** @typedef {{text: string} | {escape: string}} Part */

/** Orders to a terminal: colours, cursor, titles. */
// eslint-disable-next-line no-control-regex
const terminal = /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]{0,512}(?:\x07|\x1b\\))/g
/** Controls but for line ends and tabs; marks of direction; what takes no room. */
const unseen = /([\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ufeff\uffa0\ufff9-\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]|\udb40[\udc00-\udfff])/

/** @param {string} text @returns {Part[]} */
export function tame(text) {
  return text.replace(terminal, '').replaceAll('\r\n', '\n').split(unseen).flatMap((piece, i) => {
    if (i % 2 === 0) return /** @type {Part[]} */ (piece ? [{ text: piece }] : [])
    return [{ escape: piece === '\r' ? '\\r' : `\\u{${(piece.codePointAt(0) ?? 0).toString(16).toUpperCase()}}` }]
  })
}

/** The same as one text, on one line. @param {string} text */
export const tamed = (text) => tame(text.replace(/\s+/g, ' ')).map((part) => ('text' in part ? part.text : part.escape)).join('')
