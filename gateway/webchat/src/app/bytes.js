// The bytes of files that are not with the server yet. They are kept in IndexedDB, so
// that a reload or a night without a net loses none, and in memory as well, for a
// browser that keeps nothing.

import { note } from './storage.js'
import { outbox } from './letters.js'

const NAME = 'loongclaw.files'
const TABLE = 'bytes'
/** What nothing waits for is thrown away after this long: another tab may hold it still. */
const LIFE = 7 * 86_400_000

/** @type {Map<string, Blob>} */
const held = new Map()
/** @type {Promise<IDBDatabase>|undefined} */
let opening

function open() {
  opening ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1) // throws where it is blocked
    request.onupgradeneeded = () => request.result.createObjectStore(TABLE)
    request.onsuccess = () => {
      const db = request.result
      db.onversionchange = () => { db.close(); opening = undefined }
      db.onclose = () => { opening = undefined }
      resolve(db)
    }
    request.onerror = request.onblocked = () => reject(request.error)
  })
  opening.catch(() => { opening = undefined })
  return opening
}

/** @template T @param {IDBTransactionMode} mode @param {(table: IDBObjectStore) => IDBRequest<T>|void} act @returns {Promise<T|undefined>} */
async function within(mode, act) {
  const db = await open()
  return new Promise((resolve, reject) => {
    const t = db.transaction(TABLE, mode)
    const request = act(t.objectStore(TABLE))
    t.oncomplete = () => resolve(request?.result)
    t.onerror = t.onabort = () => reject(t.error)
  })
}

/** Which name `unkept` has for a file. @param {string} id */
const unkeptName = (id) => `file ${id}`

/** @param {string} id @param {Blob} bytes */
export async function keepBytes(id, bytes) {
  held.set(id, bytes)
  try {
    await within('readwrite', (table) => table.put({ bytes, at: Date.now() }, id))
  } catch {
    if (held.has(id)) note(unkeptName(id), false)
  }
}

/** @param {string} id @returns {Promise<Blob|undefined>} */
export async function bytesOf(id) {
  const here = held.get(id)
  if (here) return here
  try {
    const kept = await within('readonly', (table) => table.get(id))
    if (!(kept?.bytes instanceof Blob)) return undefined
    await kept.bytes.slice(0, 1).arrayBuffer() // a browser may have lost what it lists
    held.set(id, kept.bytes)
    return kept.bytes
  } catch {
    return undefined
  }
}

/** The server has it: a browser that keeps nothing loses nothing. @param {string} id */
export const safeElsewhere = (id) => note(unkeptName(id), true)

/** @param {readonly string[]} ids */
export async function dropBytes(ids) {
  for (const id of ids) {
    held.delete(id)
    note(unkeptName(id), true)
  }
  if (ids.length) await within('readwrite', (table) => { for (const id of ids) table.delete(id) }).catch(() => {})
}

/** Throws away what no message waits for: what is old, or, for somebody who signs out, all of it. @param {number} [life] */
export async function sweepBytes(life = LIFE) {
  const wanted = new Set(outbox.all().flatMap((p) => p.attachments ?? []).map((a) => a.id))
  await within('readwrite', (table) => {
    table.openCursor().onsuccess = (e) => {
      const at = /** @type {IDBRequest<IDBCursorWithValue|null>} */ (e.target).result
      if (!at) return
      if (!wanted.has(String(at.key)) && !(at.value?.at > Date.now() - life)) at.delete()
      at.continue()
    }
  }).catch(() => {})
}
