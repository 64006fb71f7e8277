// The list of conversations.

import { signal } from '@preact/signals'
import * as api from '../wire/api.js'
import { networkFault } from '../wire/fault.js'
import { go, sessionId } from './route.js'
import { forgetParcels } from './letters.js'
import { phase } from './account.js'
import { showEmpty } from './current.js'

/** How long a delete can be taken back. */
const UNDO = 6000
/** When a list that could not be fetched anew is asked for again. */
const RETRY = 10_000

export const sessions = signal(/** @type {api.Session[]} */ ([]))
export const loaded = signal(false)
export const query = signal('')
export const listFault = signal(/** @type {import('../wire/fault.js').Fault|null} */ (null))
/** What is about to go: a conversation, or what was said in it. */
export const removing = signal(/** @type {{session: api.Session, what: 'session'|'history'}|null} */ (null))

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
    if (mine !== asked) return
    const fault = networkFault(err)
    // What is shown is still good; the next try may be, too.
    if (loaded.peek() && fault.passing) retry(Math.max(RETRY, fault.retryAfter * 1000))
    else listFault.value = fault
  }
}

/** @param {number} ms */
function retry(ms) {
  clearTimeout(timer)
  if (document.visibilityState === 'visible') timer = setTimeout(refresh, ms)
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
  const show = (/** @type {string} */ text) => { sessions.value = sessions.peek().map((s) => (s.id === id ? { ...s, title: text } : s)) }
  show(title)
  try {
    const row = await api.patchSession(id, { title })
    if (typeof row.title === 'string') show(row.title) // the server may have shortened it
  } catch (err) {
    sessions.value = before
    listFault.value = networkFault(err)
  }
}

/** @param {api.Session} session @param {'session'|'history'} what */
export function removeSoon(session, what) {
  removeNow()
  removing.value = { session, what }
  if (what === 'session' && sessionId.peek() === session.id) go('')
  undoTimer = setTimeout(removeNow, UNDO)
}

export function undoRemove() {
  clearTimeout(undoTimer)
  const gone = removing.peek()
  removing.value = null
  return gone
}

/** @param {boolean} [leaving] */
export async function removeNow(leaving = false) {
  const gone = undoRemove()
  if (!gone) return
  const { id } = gone.session
  forgetParcels(id)
  try {
    if (gone.what === 'history') return await clear(id, leaving)
    sessions.value = sessions.peek().filter((s) => s.id !== id)
    await api.deleteSession(id, leaving)
  } catch (err) {
    const fault = networkFault(err)
    if (fault.status !== 404) listFault.value = fault
    refreshSoon()
  }
}

/** @param {string} id @param {boolean} leaving */
async function clear(id, leaving) {
  if (sessionId.peek() === id) showEmpty()
  await api.clearHistory(id, leaving)
  refreshSoon()
}

export function watchLeaving() {
  addEventListener('pagehide', () => removeNow(true))
}
