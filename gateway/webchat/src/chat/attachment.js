// A file that stands with a message, from the moment it was chosen until the server
// has said what it is.

/**
 * @typedef {object} Attachment
 * @property {string} id names its bytes in this browser
 * @property {string} owner whose it is: another login on this browser must not send it
 * @property {string} home the conversation in whose composer it was put
 * @property {string} name
 * @property {string} path where it is, or will be, in the workspace
 * @property {number} size
 * @property {import('./filekind.js').Kind} kind
 * @property {string} mediaType
 * @property {boolean} [uploaded] it is at its path
 * @property {boolean} [sent] it may stand with a message: its file is no longer this page's to delete
 * @property {string} [sha256] of a file that an earlier message had
 * @property {import('./filekind.js').Problem|'lost'} [problem] why it cannot be sent
 * @property {any} [refused] the error of the server that a person has to look at
 */

/** What the server says of a file of a message. @typedef {{path?: string, name: string, mediaType: string, size: number, sha256: string, error?: string}} Sent */

/** As many files as may stand with one message. */
const MAX_FILES = 16

/** Whether a person has to do something first. @param {Attachment} a */
export const isStuck = (a) => Boolean(a.problem || a.refused)

/** @param {readonly Attachment[]} list */
export const allUploaded = (list) => list.every((a) => a.uploaded)

/** How many more there may be. @param {readonly Attachment[]} list */
export const roomFor = (list) => Math.max(0, MAX_FILES - list.length)

/**
 * Which of them an error of the server is about, by how it names them: a place in the
 * list, or a path.
 * @param {{error?: string, message?: string, code?: string}} fault @param {readonly Attachment[]} list @returns {Attachment|undefined}
 */
export function blamed(fault, list) {
  if (!['not_found', 'too_large', 'unsupported_media'].includes(fault.code ?? '')) return undefined
  const words = fault.error || fault.message || ''
  const at = /\battachments\[(\d+)\]/.exec(words)?.[1]
  if (at !== undefined) return list[Number(at)]
  return list.filter((a) => words.includes(a.path)).sort((a, b) => b.path.length - a.path.length)[0]
}

/**
 * Whether a clipboard holds files, or text that merely comes with a picture of itself
 * (spreadsheets, word processors). File managers give names beside the files.
 * @param {readonly string[]} types @param {string} text @param {number} files
 */
export const pastesFiles = (types, text, files) => files > 0 && !(types.includes('text/html') && text.trim() !== '')

/** From here on a pasted text may rather be a file. */
export const LONG_PASTE = 8 * 1024

/** @param {number} n @returns {string} as people read it */
export function fileSize(n) {
  if (n < 1024) return `${n} B`
  if (n < 1024 * 1024) return `${(n / 1024).toFixed(n < 10240 ? 1 : 0)} KiB`
  return `${(n / 1024 / 1024).toFixed(1)} MiB`
}

/** Which kind a media type of the server is. @param {string} mediaType @returns {import('./filekind.js').Kind} */
export function kindOf(mediaType) {
  if (mediaType.startsWith('image/')) return 'image'
  if (mediaType === 'application/pdf') return 'pdf'
  if (mediaType.includes('wordprocessingml')) return 'word'
  if (mediaType.includes('spreadsheetml')) return 'sheet'
  if (mediaType.includes('presentationml')) return 'slides'
  return mediaType.startsWith('text/') ? 'text' : 'other'
}
