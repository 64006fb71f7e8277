// Files of messages. A message keeps what it had by its SHA-256; the file at that path
// in the workspace may be another one since, and is never shown for it.

import { getAttached, getFile } from '../wire/api.js'
import { requestFault } from './account.js'
import { inTurn } from './turns.js'

/** @typedef {{path?: string, size: number, sha256: string}} Wanted */
/** @typedef {{state: 'same', bytes: Blob} | {state: 'changed'|'gone'|'away'|'unkept'}} Found */

/** Pictures that this page has had in its hands, by what they are; the oldest goes first. @type {Map<string, Blob>} */
const seen = new Map()
/** As many bytes of them as are kept. */
const KEPT = 24 << 20

/** @param {string} sha256 */
export const pictureOf = (sha256) => seen.get(sha256)

/** @param {string} sha256 @param {Blob} bytes */
export function rememberPicture(sha256, bytes) {
  seen.delete(sha256)
  seen.set(sha256, bytes)
  let all = [...seen.values()].reduce((n, b) => n + b.size, 0)
  for (const [key, blob] of seen) {
    if (all <= KEPT) return
    all -= blob.size
    seen.delete(key)
  }
}

/** @param {Blob} blob @returns {Promise<string>} lower-case hex. Pages over plain HTTP have no crypto.subtle. */
export async function sha256(blob) {
  const bytes = new Uint8Array(await blob.arrayBuffer())
  const digest = crypto.subtle ? new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)) : (await import('./sha256.js')).sha256(bytes)
  return Array.from(digest, (b) => b.toString(16).padStart(2, '0')).join('')
}

/** @param {Wanted} file @param {AbortSignal} [signal] @returns {Promise<Found>} */
export async function findFile({ path, size, sha256: wanted }, signal) {
  if (!path) return { state: 'unkept' }
  try {
    const bytes = await (await getFile(path, signal)).blob()
    return bytes.size === size && (await sha256(bytes)) === wanted ? { state: 'same', bytes } : { state: 'changed' }
  } catch (err) {
    const fault = requestFault(err)
    // Where a folder stands now, there is no file either.
    return { state: fault.status === 404 || fault.status === 400 ? 'gone' : 'away' }
  }
}

/**
 * What a message brought along: as the session keeps it, else from the workspace. That
 * has another one only where the session's is known to be lost.
 * @param {Wanted} file @param {string} session @param {AbortSignal} [signal] @returns {Promise<Found>}
 */
export async function findSent(file, session, signal) {
  let passing = false
  try {
    const bytes = await (await getAttached(session, file.sha256, signal)).blob()
    if ((await sha256(bytes)) === file.sha256) return { state: 'same', bytes }
  } catch (err) { // An agent that gives none yet, or a store that has lost it: the workspace may have it.
    passing = requestFault(err).passing
  }
  const found = await findFile(file, signal)
  return passing && found.state !== 'same' ? { state: 'away' } : found
}

/** Two at once: a conversation may have hundreds. */
const turn = inTurn(2)

/** @param {(signal: AbortSignal) => Promise<Found>} find @param {AbortSignal} signal @returns {Promise<Found>} */
export const findInTurn = (find, signal) => turn(async () => (signal.aborted ? { state: 'away' } : find(signal)))
