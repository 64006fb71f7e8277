// Takes messages from the outbox to the server, in order, until each is acknowledged.

import { batch, signal } from '@preact/signals'
import { randomId } from '../chat/ids.js'
import { backoff, pause } from '../wire/backoff.js'
import { networkFault } from '../wire/fault.js'
import * as api from '../wire/api.js'
import { expired, owner, phase } from './account.js'
import { followAgain, forgetHead, state } from './current.js'
import { go, sessionId } from './route.js'
import { outbox, parcels, showParcels } from './letters.js'
import { stir } from './presence.js'
import { refreshSoon } from './sessions.js'

/** Since when a POST has had no answer: the agent may be waking. 0: none is under way. */
export const postingSince = signal(0)

/** @type {Map<string, Promise<void>>} */
const working = new Map()
const never = new AbortController().signal

/** @param {string} text @param {string} [parentId] an edit: answers from that point. '' is the very beginning */
export function say(text, parentId) {
  const id = sessionId.peek() || randomId()
  outbox.add({
    key: randomId(), owner: owner(), sessionId: id, message: text, at: Date.now(), fresh: id !== sessionId.peek(),
    ...(parentId === undefined ? {} : { parentId }),
  })
  forgetHead()
  batch(() => {
    go(id)
    showParcels()
  })
  deliver(id)
}

/** @param {string} id */
function deliver(id) {
  if (working.has(id) || phase.peek() !== 'in') return
  const work = loop(id).finally(() => {
    working.delete(id)
    postingSince.value = 0
    showParcels()
  })
  working.set(id, work)
}

/** @param {string} id */
async function loop(id) {
  for (let failures = 0; ;) {
    const parcel = outbox.next(owner(), id)
    if (!parcel) return
    if (!postingSince.value) postingSince.value = Date.now()
    try {
      const body = parcel.parentId === undefined ? { message: parcel.message } : { message: parcel.message, parentId: parcel.parentId }
      const run = await api.startRun(id, body, parcel.key)
      outbox.update(parcel.key, { messageId: run.messageId })
      failures = 0
      postingSince.value = 0
      showParcels()
      stir()
      followAgain()
      refreshSoon()
    } catch (err) {
      const fault = networkFault(err)
      if (fault.status === 401) {
        expired(fault)
        return // kept; sent after the next sign-in
      }
      if (fault.passing) {
        await pause(Math.max(backoff(failures++), fault.retryAfter * 1000), never)
        continue
      }
      const { message, code, hint, requestId } = fault
      outbox.update(parcel.key, { refused: { error: message, code, hint, requestId } })
    }
    showParcels()
  }
}

/** @param {string} key */
export function sendAgain(key) {
  outbox.renew(key, randomId())
  showParcels()
  deliver(sessionId.peek())
}

/** @param {string} key @returns {string} its text, for the composer */
export function takeBack(key) {
  const text = outbox.all().find((p) => p.key === key)?.message ?? ''
  outbox.remove(key)
  showParcels()
  return text
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
