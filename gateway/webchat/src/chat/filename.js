// Under which name a file of the user's machine is kept in the workspace. Its own
// name may be anything; what comes out is one segment of a path that the server
// takes, that people can read, and that no program takes for something else.

const encoder = new TextEncoder()

/** What separates folders, looks like it, or means something to a shell or to Windows. */
const separators = /[/\\∕⁄⧸／＼⧵﹨<>:"|?*\uFFFD\p{Cs}\p{Cn}\p{Co}]/gu
/** What cannot be seen, whatever it does to its neighbours. */
const unseen = /[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\u2800\u{1D159}\uFFFC]/gu
/** Names that Windows keeps for devices, with any ending. */
const device = /^(?:con|prn|aux|nul|com[\d¹²³]|lpt[\d¹²³])(?:\.|$)/i
/** More marks on one letter than any writing needs, and marks on nothing. */
const marks = /(?<=^| )[\p{Mn}\p{Me}]+|(?<=[\p{Mn}\p{Me}]{4})[\p{Mn}\p{Me}]+/gu

/** As the server bounds a name: bytes of it, and of the key that the store keeps it under. */
const MAX_BYTES = 180
const MAX_KEY = 480

/** With the ending that says what a file is. @param {string} name */
function split(name) {
  const end = /(?<=.)\.[\p{L}\p{N}]{1,12}$/u.exec(name)?.[0] ?? ''
  return { stem: name.slice(0, name.length - end.length), end }
}

/** How long a character is in the store's key. @param {string} c */
const keyLength = (c) => (/[A-Za-z0-9.-]/.test(c) ? 1 : c <= '\xff' ? 3 : c.length === 1 ? 6 : 8)

/** The beginning that is short enough. @param {string} text @param {number} spare bytes that are to stay free */
function cut(text, spare) {
  let out = ''
  let bytes = spare
  let key = spare * 3
  for (const c of text) {
    bytes += encoder.encode(c).length
    key += keyLength(c)
    if (bytes > MAX_BYTES || key > MAX_KEY) break
    out += c
  }
  return out
}

/** @param {string} name as the system, a page or a clipboard says it @returns {string} never empty */
export function safeName(name) {
  let out = name.normalize('NFC').replace(/[\t\n\v\f\r\u0085\p{Z}]+/gu, ' ').replace(unseen, '').replace(separators, '_')
    .replace(/ {2,}/g, ' ').trim().replace(marks, '').replace(/[ .]+$/, '').normalize('NFC')
  // Dots in disguise are dots to some.
  if (/^[. _]*$/.test(out.normalize('NFKC'))) out = `file${/^_+$/.test(out) ? out : ''}`
  // A name that begins so would be an option of a command.
  if (/^[-~]/.test(out) || device.test(out)) out = `_${out}`
  const { stem, end } = split(out)
  const spare = Math.max(encoder.encode(end).length, Math.ceil([...end].reduce((n, c) => n + keyLength(c), 0) / 3)) + 8
  return (cut(stem, spare).trimEnd() || 'file') + end
}

/** Whether two names could be one file on some machine. @param {string} name */
export const folded = (name) => name.normalize('NFC').toLowerCase()

/** A name that is not taken, with a number where it is. @param {string} name a safe one @param {ReadonlySet<string>} taken folded @returns {string} */
export function numbered(name, taken) {
  if (!taken.has(folded(name))) return name
  const { stem, end } = split(name)
  for (let n = 2; ; n++) {
    const next = `${stem} (${n})${end}`
    if (!taken.has(folded(next))) return next
  }
}

/** The folder for the files of one message: nobody else writes there. @param {Date} now @param {string} id */
export const folderOf = (now, id) =>
  `uploads/${now.getFullYear()}-${String(now.getMonth() + 1).padStart(2, '0')}-${String(now.getDate()).padStart(2, '0')}-${id}`
