// The list of conversations.

import { signal } from '@preact/signals'
import * as api from '../wire/api.js'
import { networkFault } from '../wire/fault.js'
import { go, sessionId } from './route.js'
import { forgetParcels } from './letters.js'
import { phase } from './account.js'

/** How long a delete can be taken back. */
const UNDO = 6000

export const sessions = signal(/** @type {api.Session[]} */ ([]))
export const loaded = signal(false)
export const query = signal('')
export const listFault = signal(/** @type {import('../wire/fault.js').Fault|null} */ (null))
/** The one that is about to be deleted. */
export const deleting = signal(/** @type {api.Session|null} */ (null))

/** @type {ReturnType<typeof setTimeout>|undefined} */
let timer
/** @type {ReturnType<typeof setTimeout>|undefined} */
let undoTimer
let asked = 0

export async function refresh() {
  if (phase.peek() !== 'in') return
  const mine = ++asked
  try {
    const page = await api.listSessions(query.peek().trim())
    if (mine !== asked) return // a later question is on its way
    sessions.value = page.sessions ?? []
    loaded.value = true
    listFault.value = null
  } catch (err) {
    if (mine === asked) listFault.value = networkFault(err)
  }
}

/** Several reasons in one moment are one request. */
export function refreshSoon() {
  clearTimeout(timer)
  timer = setTimeout(refresh, 250)
}

/** @param {string} text */
export function search(text) {
  query.value = text
  refreshSoon()
}

/** @param {string} id @param {string} title */
export async function rename(id, title) {
  const before = sessions.peek()
  sessions.value = before.map((s) => (s.id === id ? { ...s, title } : s))
  try {
    await api.patchSession(id, { title })
  } catch (err) {
    sessions.value = before
    listFault.value = networkFault(err)
  }
}

/** @param {api.Session} session */
export function removeSoon(session) {
  removeNow()
  deleting.value = session
  if (sessionId.peek() === session.id) go('')
  undoTimer = setTimeout(removeNow, UNDO)
}

export function undoRemove() {
  clearTimeout(undoTimer)
  const session = deleting.peek()
  deleting.value = null
  return session
}

/** @param {boolean} [leaving] */
export async function removeNow(leaving = false) {
  const session = undoRemove()
  if (!session) return
  sessions.value = sessions.peek().filter((s) => s.id !== session.id)
  forgetParcels(session.id)
  try {
    await api.deleteSession(session.id, leaving)
  } catch (err) {
    const fault = networkFault(err)
    if (fault.status !== 404) listFault.value = fault
    refreshSoon()
  }
}

export function watchLeaving() {
  addEventListener('pagehide', () => removeNow(true))
}
