// Takes files to the workspace, a few at a time, until each is there or a person has
// to look at it. Where a file is by now, in a composer or with a message that waits,
// makes no difference.

import { effect, signal, untracked } from '@preact/signals'
import { blamed, isStuck, roomFor } from '../chat/attachment.js'
import { folded, folderOf, numbered, safeName } from '../chat/filename.js'
import { lookAt, MAX_FILE } from '../chat/filekind.js'
import { randomId } from '../chat/ids.js'
import { backoff, pause } from '../wire/backoff.js'
import { deleteFile, putFile } from '../wire/upload.js'
import { owner, phase, requestFault } from './account.js'
import { attached, changeAttached, leftOut, noted, noteFile } from './attached.js'
import { bytesOf, dropBytes, keepBytes, safeElsewhere } from './bytes.js'
import { sessionId } from './route.js'
import { inTurn } from './turns.js'
import { rememberPicture, sha256 } from './workfiles.js'

/** @typedef {import('../chat/attachment.js').Attachment} Attachment */
/** @typedef {{share: number, fault?: import('../wire/fault.js').Fault, until?: number}} Live how far it is; or what it waits for, and when the next try is */

/** Two at once. */
const turn = inTurn(2)

/** What is under way, by the file's id. */
export const live = signal(/** @type {ReadonlyMap<string, Live>} */ (new Map()))

/** @type {Map<string, {stop: AbortController, done: Promise<void>}>} */
const jobs = new Map()
/** Ends the pause between two tries. @type {Map<string, AbortController>} */
const pauses = new Map()
/** Names that were given in a folder, also to files that went since: their removal may come late. @type {Set<string>} */
const given = new Set()

/** @param {string} id @param {Live} [value] */
function tell(id, value) {
  if (value === undefined && !live.peek().has(id)) return
  const next = new Map(live.peek())
  if (value) next.set(id, value)
  else next.delete(id)
  live.value = next
}

/** Begins with a file unless that has been; ends when it is there, stuck, or not wanted any more. @param {Attachment} file @returns {Promise<void>} */
export function upload(file) {
  const known = jobs.get(file.id)
  if (known) return known.done
  const stop = new AbortController()
  const done = work(file, stop.signal).finally(() => {
    jobs.delete(file.id)
    tell(file.id)
  })
  jobs.set(file.id, { stop, done })
  return done
}

/** @param {Attachment} file @param {AbortSignal} signal */
async function work(file, signal) {
  const bytes = await bytesOf(file.id)
  const wanted = () => {
    const now = noted(file)
    return !signal.aborted && phase.peek() === 'in' && now && !now.uploaded && !isStuck(now)
  }
  if (!wanted()) return
  if (!bytes) return noteFile(file, { problem: 'lost' })
  for (let failures = 0; wanted(); failures++) {
    const fault = await attempt(file, bytes, signal)
    if (signal.aborted) return
    if (!fault) {
      noteFile(file, { uploaded: true })
      return safeElsewhere(file.id)
    }
    if (fault.status === 401) return // it goes on after the next sign-in
    if (!fault.passing) return noteFile(file, { refused: fault.record })
    await rest(file.id, fault, Math.max(backoff(failures), fault.retryAfter * 1000), signal)
  }
}

/** One try. @param {Attachment} file @param {Blob} bytes @param {AbortSignal} signal @returns {Promise<import('../wire/fault.js').Fault|undefined>} */
const attempt = (file, bytes, signal) => turn(async () => {
  if (signal.aborted) return undefined
  tell(file.id, { share: 0 })
  return putFile(file.path, bytes, (share) => tell(file.id, { share }), signal).then(() => undefined, requestFault)
})

/** @param {string} id @param {import('../wire/fault.js').Fault} fault @param {number} ms @param {AbortSignal} signal */
async function rest(id, fault, ms, signal) {
  tell(id, { share: 0, fault, until: Date.now() + ms })
  const stop = new AbortController()
  const end = () => stop.abort()
  signal.addEventListener('abort', end)
  pauses.set(id, stop)
  await pause(ms, stop.signal)
  pauses.delete(id)
  signal.removeEventListener('abort', end)
}

/** Ends when all files of a message are settled, or somebody interrupts. @param {readonly Attachment[]} files @param {AbortSignal} signal */
export function settled(files, signal) {
  const interrupted = new Promise((resolve) => { signal.addEventListener('abort', () => resolve(undefined)) })
  return Promise.race([interrupted, Promise.all(files.filter((a) => !a.uploaded && !isStuck(a)).map(upload))])
}

/** Tries at once; what was refused, too. @param {Attachment} file */
export function retryFile(file) {
  noteFile(file, { refused: undefined, problem: file.problem === 'lost' ? undefined : file.problem })
  pauses.get(file.id)?.abort()
  const now = noted(file)
  if (now && !now.uploaded) upload(now)
}

/** @param {readonly File[]} files */
export async function addFiles(files) {
  const home = sessionId.peek()
  const list = attached.peek()
  const taken = files.slice(0, roomFor(list))
  if (taken.length < files.length) leftOut.value = { why: 'tooMany', names: files.slice(taken.length).map((f) => safeName(f.name)) }
  const own = list.find((a) => !a.sent)?.path
  const below = own ? own.slice(0, own.lastIndexOf('/') + 1) : `${folderOf(new Date(), randomId(6))}/`
  for (const a of list) given.add(folded(a.path))
  const added = taken.map((file) => ({ file, record: record(file, home, below) }))
  changeAttached(home, (now) => [...now, ...added.map((a) => a.record)])
  for (const a of added) await prepare(a.file, a.record) // one after the other: each is read whole
}

/** @param {File} file @param {string} home @param {string} below @returns {Attachment} */
function record(file, home, below) {
  const taken = new Set([...given].filter((p) => p.startsWith(below)).map((p) => p.slice(below.length)))
  const name = numbered(safeName(file.name), taken)
  given.add(folded(below + name))
  return {
    id: randomId(), owner: owner(), home, name, path: below + name, size: file.size, kind: 'other', mediaType: '',
    ...(file.size > MAX_FILE ? { problem: /** @type {const} */ ('tooLarge') } : {}),
  }
}

/** Reads a file now: what becomes of it on its disk later is another matter. @param {File} file @param {Attachment} record */
async function prepare(file, record) {
  if (record.problem) return
  let bytes
  try {
    bytes = await file.arrayBuffer()
  } catch {
    return noteFile(record, { problem: 'unreadable' }) // a folder, a file that is gone, a drive that was pulled out
  }
  const { kind, mediaType, problem } = lookAt(new Uint8Array(bytes))
  if (!problem && noted(record)) await keepBytes(record.id, new Blob([bytes], { type: mediaType }))
  if (kind === 'image' && !problem) showSoon(new Blob([bytes], { type: mediaType }))
  if (!noted(record)) return void dropBytes([record.id]) // taken away meanwhile
  noteFile(record, { kind, mediaType, size: bytes.byteLength, ...(problem && { problem }) })
  if (!problem) upload(record)
}

/** What is shown of it once it was sent is here already. @param {Blob} bytes */
const showSoon = (bytes) => sha256(bytes).then((sum) => rememberPicture(sum, bytes), () => {})

/** @param {Attachment} file */
export async function removeFile(file) {
  changeAttached(file.home, (list) => list.filter((a) => a.id !== file.id))
  const job = jobs.get(file.id)
  job?.stop.abort()
  await dropBytes([file.id])
  await job?.done
  // What may stand with a message is no longer ours to delete.
  if (!file.sent && !file.problem && phase.peek() === 'in') await deleteFile(file.path)
}

/**
 * The server refused a message, perhaps because of one of its files: that file is marked.
 * @param {import('../wire/fault.js').Fault} fault @param {readonly Attachment[]} files @returns what the message says of it
 */
export function blame(fault, files) {
  const file = blamed(fault, files)
  const gone = fault.code === 'not_found'
  if (file) noteFile(file, gone ? { uploaded: false } : { refused: fault.record })
  return file && gone ? { ...fault.record, code: 'file_gone', error: file.name } : fault.record
}

// After a reload, a sign-in, or a look into a conversation: what was not uploaded goes on.
effect(() => {
  if (phase.value !== 'in') return
  sessionId.value
  const waiting = untracked(() => attached.peek().filter((a) => !a.uploaded && !isStuck(a)))
  for (const file of waiting) if (file.kind !== 'other' || !preparing(file)) upload(file)
})

/** Whether this page is still reading it. @param {Attachment} file */
function preparing(file) {
  return given.has(folded(file.path))
}
