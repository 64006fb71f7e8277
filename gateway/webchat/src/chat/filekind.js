// What a file is, by its content, as the server will see it (agent/attach): what is
// sure to be refused or unreadable is said before it is sent. What is not sure is
// left to the server.

/** @typedef {'image'|'text'|'pdf'|'word'|'sheet'|'slides'|'other'} Kind */
/** @typedef {'empty'|'tooLarge'|'kind'|'legacy'|'encrypted'|'pixels'|'animated'|'unreadable'} Problem why it cannot be attached */
/** @typedef {{kind: Kind, mediaType: string, width?: number, height?: number, problem?: Problem}} Look */

/** As large as a file of the workspace may be. */
export const MAX_FILE = 8 << 20
/** As many pixels as the server decodes. */
const MAX_PIXELS = 40_000_000

const latin = new TextDecoder('latin1') // of which only ASCII is asked
/** Each byte as the character of that number. @param {Uint8Array} b @param {number} from @param {number} to */
const ascii = (b, from, to) => String.fromCharCode(...b.subarray(from, to))
/** @param {Uint8Array} b @param {string} begins */
const starts = (b, begins) => ascii(b, 0, begins.length) === begins
/** @param {Uint8Array} b @param {string} text */
const holds = (b, text) => latin.decode(b).includes(text)

/** @param {Uint8Array} b all of it @returns {Look} */
export function lookAt(b) {
  if (!b.length) return { kind: 'text', mediaType: 'text/plain', problem: 'empty' }
  for (const [begins, mediaType, size] of images) {
    if (starts(b, begins) && (mediaType !== 'image/webp' || ascii(b, 8, 12) === 'WEBP')) return image(mediaType, size(b))
  }
  if (starts(b, '%PDF-')) return { kind: 'pdf', mediaType: 'application/pdf' }
  if (starts(b, 'PK\x03\x04')) return office(b)
  if (starts(b, '\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1')) {
    return { kind: 'other', mediaType: 'application/x-ole-storage', problem: holds(b, [...'EncryptedPackage'].join('\0')) ? 'encrypted' : 'legacy' }
  }
  const wide = starts(b, '\xff\xfe') || starts(b, '\xfe\xff')
  if (!wide && controls(b)) return { kind: 'other', mediaType: 'application/octet-stream', problem: 'kind' }
  return { kind: 'text', mediaType: 'text/plain' }
}

/** What no text has, in any of its encodings but the wide ones. @param {Uint8Array} b */
function controls(b) {
  return b.some((c) => (c < 32 && c !== 9 && c !== 10 && c !== 12 && c !== 13 && c !== 27) || c === 127)
}

/** @typedef {{width: number, height: number, animated?: boolean}} Size 0: it could not be read */

/** @param {string} mediaType @param {Size} size @returns {Look} */
function image(mediaType, { width, height, animated }) {
  const problem = animated ? 'animated' : width * height > MAX_PIXELS ? 'pixels' : undefined
  return { kind: 'image', mediaType, width, height, ...(problem && { problem }) }
}

/** @type {[begins: string, mediaType: string, size: (b: Uint8Array) => Size][]} */
const images = [
  ['\x89PNG\r\n\x1a\n', 'image/png', (b) => ({ width: be(b, 16, 4), height: be(b, 20, 4) })],
  ['\xff\xd8\xff', 'image/jpeg', jpegSize],
  ['GIF87a', 'image/gif', (b) => ({ width: le(b, 6, 2), height: le(b, 8, 2) })],
  ['GIF89a', 'image/gif', (b) => ({ width: le(b, 6, 2), height: le(b, 8, 2) })],
  ['RIFF', 'image/webp', webpSize],
]

/** A number, its largest byte first; 0 beyond the end. @param {Uint8Array} b @param {number} at @param {number} n */
function be(b, at, n) {
  let v = 0
  for (let i = 0; i < n; i++) v = v * 256 + (b[at + i] ?? 0)
  return v
}

/** @param {Uint8Array} b @param {number} at @param {number} n */
function le(b, at, n) {
  let v = 0
  for (let i = n - 1; i >= 0; i--) v = v * 256 + (b[at + i] ?? 0)
  return v
}

/** The frame's header says it, behind what a camera wrote. @param {Uint8Array} b @returns {Size} */
function jpegSize(b) {
  for (let at = 2; at + 9 < b.length;) {
    if (b[at] !== 0xff) return { width: 0, height: 0 }
    const marker = b[at + 1]
    if (marker === 0xff) at++
    else if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc) return { width: be(b, at + 7, 2), height: be(b, at + 5, 2) }
    else if (marker === 0xda || marker === 0xd9) break
    else at += marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7) ? 2 : 2 + Math.max(2, be(b, at + 2, 2))
  }
  return { width: 0, height: 0 }
}

/** @param {Uint8Array} b @returns {Size} */
function webpSize(b) {
  let [width, height] = [0, 0]
  for (let at = 12; at + 8 <= b.length;) {
    const name = ascii(b, at, at + 4)
    const data = at + 8
    if (name === 'ANIM' || name === 'ANMF') return { width, height, animated: true }
    const [w, h] = name === 'VP8X' ? [1 + le(b, data + 4, 3), 1 + le(b, data + 7, 3)]
      : name === 'VP8L' ? [1 + (le(b, data + 1, 4) & 0x3fff), 1 + ((le(b, data + 1, 4) >>> 14) & 0x3fff)]
        : name === 'VP8 ' ? [le(b, data + 6, 2) & 0x3fff, le(b, data + 8, 2) & 0x3fff] : [0, 0]
    width = Math.max(width, w)
    height = Math.max(height, h)
    const size = le(b, at + 4, 4)
    at = data + size + (size % 2)
  }
  return { width, height }
}

const vendor = 'application/vnd.openxmlformats-officedocument.'
/** @type {[part: string, kind: Kind, mediaType: string][]} */
const documents = [
  ['word/', 'word', vendor + 'wordprocessingml.document'],
  ['xl/', 'sheet', vendor + 'spreadsheetml.sheet'],
  ['ppt/', 'slides', vendor + 'presentationml.presentation'],
]

/** The names of a zip file's parts stand in it as they are. @param {Uint8Array} b @returns {Look} */
function office(b) {
  const text = latin.decode(b)
  const found = documents.find(([part]) => text.includes(part))
  if (!text.includes('[Content_Types].xml') || !found) return { kind: 'other', mediaType: 'application/zip', problem: 'kind' }
  return { kind: found[1], mediaType: found[2] }
}
