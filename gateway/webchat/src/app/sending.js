// Takes messages from the outbox to the server, in order, until each is acknowledged.

import { batch, signal } from '@preact/signals'
import { allUploaded, isStuck } from '../chat/attachment.js'
import { randomId } from '../chat/ids.js'
import { backoff, pause } from '../wire/backoff.js'
import { networkFault } from '../wire/fault.js'
import * as api from '../wire/api.js'
import { owner, phase, requestFault } from './account.js'
import { enqueue, followAgain, state } from './current.js'
import { keptFiles } from './edits.js'
import { filePart } from './parts.js'
import { takeWish } from './models.js'
import { go, sessionId } from './route.js'
import { outbox, parcels, showParcels } from './letters.js'
import { refresh, refreshUntold, removeNow, removing } from './sessions.js'

/** Since when a session's POST has had no answer: the agent may be waking. */
export const posting = signal(/** @type {ReadonlyMap<string, number>} */ (new Map()))
/** What a session's next message waits for: the server's own reason, and when the next try is. One lost request is no news. */
export const holds = signal(/** @type {ReadonlyMap<string, {fault: import('../wire/fault.js').Fault, until: number}>} */ (new Map()))

/** @type {Map<string, Promise<void>>} */
const working = new Map()
/** Ends a session's pause. @type {Map<string, AbortController>} */
const pauses = new Map()

/** @template T @param {import('@preact/signals').Signal<ReadonlyMap<string, T>>} map @param {string} id @param {T} [value] */
function put(map, id, value) {
  if (value === undefined && !map.peek().has(id)) return
  const next = new Map(map.peek())
  if (value === undefined) next.delete(id)
  else next.set(id, value)
  map.value = next
}

/**
 * @param {string} text
 * @param {{parentId: string, messageId: string}} [edit] another version of that message. parentId '' is the very beginning
 * @param {import('../chat/attachment.js').Attachment[]} [files] what stands with it; an edit has what its editor left
 */
export function say(text, edit, files = edit ? keptFiles(edit.messageId, owner()) : []) {
  const id = sessionId.peek() || randomId()
  // What was to be cleared goes now: it must not take this message with it.
  const cleared = removing.peek()?.session.id === id ? removeNow() : undefined
  outbox.add({
    key: randomId(), owner: owner(), sessionId: id, message: text, at: Date.now(), fresh: id !== sessionId.peek(),
    ...(edit ? { parentId: edit.parentId, edits: edit.messageId } : {}), ...takeWish(sessionId.peek()),
    ...(files.length ? { attachments: files.map((a) => ({ ...a, home: id, sent: true })) } : {}),
  })
  batch(() => {
    go(id)
    showParcels()
  })
  if (cleared) cleared.then(() => deliver(id))
  else deliver(id)
}

/** @param {string} id */
function deliver(id) {
  if (working.has(id) || phase.peek() !== 'in') return
  const work = loop(id).finally(() => {
    working.delete(id)
    put(posting, id)
    put(holds, id)
    showParcels()
  })
  working.set(id, work)
}

/** @param {string} id */
async function loop(id) {
  for (let failures = 0; ;) {
    const parcel = outbox.next(owner(), id)
    if (!parcel) return
    if (!allUploaded(parcel.attachments ?? [])) {
      if (!(await bring(id, parcel.key, parcel.attachments ?? []))) await hold(id, networkFault(null), backoff(failures++), true)
      if (phase.peek() !== 'in') return // kept; it goes on after the next sign-in
      continue
    }
    if (!posting.peek().has(id)) put(posting, id, Date.now())
    try {
      const run = await api.startRun(id, bodyOf(parcel), parcel.key)
      outbox.update(parcel.key, { messageId: run.messageId })
      if (parcel.attachments) filePart.load().then((m) => m?.dropBytes((parcel.attachments ?? []).map((a) => a.id)))
      failures = 0
      put(posting, id)
      put(holds, id)
      // A conversation that begins here is whole after this cursor.
      if (parcel.fresh && run.cursor && sessionId.peek() === id && !state.peek().cursor) enqueue({ type: 'begun', cursor: run.cursor })
      if (sessionId.peek() === id) followAgain()
      showParcels()
      refreshUntold()
    } catch (err) {
      const fault = requestFault(err)
      if (fault.status === 401) return // kept; sent after the next sign-in
      if (fault.passing) {
        await hold(id, fault, Math.max(backoff(failures), fault.retryAfter * 1000), fault.status === 0 && failures === 0)
        failures++
        continue
      }
      const m = parcel.attachments && (await filePart.load())
      outbox.update(parcel.key, { refused: m ? m.blame(fault, parcel.attachments ?? []) : fault.record })
    }
    showParcels()
  }
}

/** @param {import('../chat/outbox.js').Parcel} parcel what its key stands for */
const bodyOf = ({ message, parentId, model, attachments }) => ({
  message, ...(parentId !== undefined && { parentId }), ...(model !== undefined && { model }),
  ...(attachments && { attachments: attachments.map(({ path }) => ({ path })) }),
})

/**
 * Has the files of a message with the server before it. One that cannot be there stops
 * the message until a person has looked.
 * @param {string} id @param {string} key @param {import('../chat/attachment.js').Attachment[]} files
 * @returns {Promise<boolean>} whether something came of it
 */
async function bring(id, key, files) {
  const stop = new AbortController()
  pauses.set(id, stop)
  const m = await filePart.load()
  await m?.settled(files, stop.signal)
  if (pauses.get(id) === stop) pauses.delete(id)
  const now = outbox.all().find((p) => p.key === key)?.attachments
  const stuck = now?.find(isStuck)
  if (stuck) outbox.update(key, { refused: stuck.refused ?? { code: 'file_lost', error: stuck.name } })
  showParcels()
  return !now || Boolean(stuck) || allUploaded(now)
}

/**
 * Waits for the next try, and says for what. An answered request is no waking agent.
 * @param {string} id @param {import('../wire/fault.js').Fault} fault @param {number} ms @param {boolean} quiet
 */
async function hold(id, fault, ms, quiet) {
  put(posting, id)
  if (!quiet) put(holds, id, { fault, until: Date.now() + ms })
  if (fault.code === 'too_many_runs') refresh() // which ones they are
  const stop = new AbortController()
  pauses.set(id, stop)
  await pause(ms, stop.signal)
  pauses.delete(id)
}

/** Tries at once. @param {string} id */
export const sendNow = (id) => pauses.get(id)?.abort()

/** @param {string} key */
export function sendAgain(key) {
  outbox.renew(key, randomId())
  const files = outbox.all().find((p) => p.key === key)?.attachments
  if (files) outbox.update(key, { attachments: files.map((a) => ({ ...a, refused: undefined, problem: a.problem === 'lost' ? undefined : a.problem })) })
  showParcels()
  deliver(sessionId.peek())
}

/** @param {string} key @returns {import('../chat/outbox.js').Parcel|undefined} for its writer */
export function takeBack(key) {
  const parcel = outbox.all().find((p) => p.key === key)
  outbox.remove(key)
  showParcels()
  if (parcel) {
    sendNow(parcel.sessionId)
    deliver(parcel.sessionId) // what waited behind it
  }
  return parcel
}

/** @param {import('../chat/outbox.js').Parcel} parcel */
export const isStale = (parcel) => !parcel.messageId && outbox.stale(parcel)

/** Lets go of what the stream has shown. */
export function dropShown() {
  const { messages } = state.peek()
  const done = parcels.peek().filter((p) => p.messageId && messages.has(p.messageId))
  if (!done.length) return
  for (const p of done) outbox.remove(p.key)
  showParcels()
}

/** After a reload or a sign-in: send what was left, in every session. */
export function resumeSending() {
  for (const id of new Set(outbox.all().filter((p) => p.owner === owner() && !p.messageId).map((p) => p.sessionId))) deliver(id)
}
