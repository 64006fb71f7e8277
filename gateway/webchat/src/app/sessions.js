// The list of conversations.

import { computed, signal } from '@preact/signals'
import * as api from '../wire/api.js'
import { append, put, renew } from '../chat/list.js'
import { go, sessionId, view } from './route.js'
import { forgetParcels } from './letters.js'
import { phase, requestFault, takeProbed } from './account.js'
import { removal } from './removal.js'
import { rowChanged, rowRemoved, showEmpty } from './current.js'
import { listCursor } from './watch.js'

/** When a list that could not be fetched anew is asked for again. */
const RETRY = 10_000

/** The rows that were fetched: the newest pages of the list, or of what was searched for. */
export const sessions = signal(/** @type {api.Session[]} */ ([]))
export const loaded = signal(false)
/** Whether more pages follow, and whether one is on its way. */
export const more = signal(false)
export const fetching = signal(false)
export const query = signal('')
export const listFault = signal(/** @type {import('../wire/fault.js').Fault|null} */ (null))
/** Conversations in which a decision is asked for, in the order in which they were heard of; and what for, where that was told. */
export const asking = signal(/** @type {ReadonlyMap<string, api.Approval|null>} */ (new Map()))
/** The shown conversation's title, by the list. */
export const listedTitle = computed(() => sessions.value.find((s) => s.id === sessionId.value)?.title ?? '')

/** @type {ReturnType<typeof setTimeout>|undefined} */
let timer
/** @type {ReturnType<typeof setTimeout>|undefined} */
let untold
let asked = 0
/** What the rows were an answer to. */
let answered = { query: '', etag: '' }

export async function refresh() {
  if (phase.peek() !== 'in') return
  const mine = ++asked
  const wanted = query.peek().trim()
  try {
    const probed = wanted ? undefined : takeProbed()
    const page = probed ?? await api.listSessions({ query: wanted, etag: loaded.peek() && answered.query === wanted ? answered.etag : '' })
    if (mine !== asked) return // a later question is on its way
    listFault.value = null
    if (!page) return
    const same = loaded.peek() && answered.query === wanted
    sessions.value = same ? renew(sessions.peek(), page.sessions, !page.more) : page.sessions
    if (!same || !page.more) more.value = page.more
    answered = { query: wanted, etag: page.etag }
    loaded.value = true
    if (!listCursor.peek()) {
      listCursor.value = page.cursor
      readApprovals()
    }
    for (const row of page.sessions) noteState(row)
  } catch (err) {
    if (mine !== asked) return
    const fault = requestFault(err)
    // What is shown is still good; the next try may be, too.
    if (loaded.peek() && fault.passing) retry(Math.max(RETRY, fault.retryAfter * 1000))
    else listFault.value = fault
  }
}

/** The page that follows; what moved up since then is not shown twice. */
export async function fetchMore() {
  if (!more.peek() || fetching.peek()) return
  fetching.value = true
  const mine = asked
  try {
    const page = await api.listSessions({ query: answered.query, from: sessions.peek().length })
    if (mine !== asked || !page) return
    sessions.value = append(sessions.peek(), page.sessions)
    more.value = page.more
  } catch (err) {
    if (mine === asked) listFault.value = requestFault(err)
  } finally {
    fetching.value = false
  }
}

export async function readApprovals() {
  try {
    const { approvals } = await api.listApprovals()
    for (const one of approvals) noteAsking(one.sessionId, true, one)
  } catch {
    // The rows say it of themselves.
  }
}

/** @param {string} id @param {boolean} asks @param {api.Approval} [approval] */
function noteAsking(id, asks, approval) {
  const known = asking.peek().get(id)
  if (asks ? known !== undefined && (!approval || known?.approvalId === approval.approvalId) : known === undefined) return
  const next = new Map(asking.peek())
  if (asks) next.set(id, approval ?? null)
  else next.delete(id)
  asking.value = next
}

/** @param {api.Session} row */
function noteState(row) {
  noteAsking(row.id, row.state === 'waiting')
}

/** Something happened to a conversation, here or elsewhere. @param {any} event of the stream of changes */
export function listChanged(event) {
  const { type, sessionId: id, session: row } = event
  if (type === 'session_changed' && row) {
    // While something is searched for, what was found changes and nothing joins it.
    if (!answered.query || sessions.peek().some((s) => s.id === id)) sessions.value = put(sessions.peek(), row, !more.peek())
    answered.etag = ''
    noteState(row)
    rowChanged(row)
  }
  if (type === 'session_removed') {
    sessions.value = sessions.peek().filter((s) => s.id !== id)
    answered.etag = ''
    noteAsking(id, false)
    rowRemoved(id)
  }
  if (type === 'approval_changed') noteAsking(id, !event.approval?.decision, event.approval)
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

/** Where the stream of changes tells it, nobody has to ask. */
export function refreshUntold() {
  clearTimeout(untold)
  untold = setTimeout(() => { if (!listCursor.peek()) refresh() }, 250)
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
    listFault.value = requestFault(err)
  }
}

/** What is about to go: a conversation, or what was said in it; and whether it was on the page. @typedef {{session: api.Session, what: 'session'|'history', shown: boolean}} Gone */
const { removing, soon, undo, now: removeNow } = removal(remove)
export { removing, removeNow }

/** @param {api.Session} session @param {Gone['what']} what */
export function removeSoon(session, what) {
  const shown = sessionId.peek() === session.id
  soon({ session, what, shown })
  if (what === 'session' && shown) go('')
}

/** Takes it back. Who was in the conversation is there again, unless they went elsewhere. */
export function undoRemove() {
  const gone = undo()
  if (gone?.shown && view.peek() === 'chat' && !sessionId.peek()) go(gone.session.id)
}

/** @param {Gone} gone @param {boolean} leaving */
async function remove(gone, leaving) {
  const { id } = gone.session
  forgetParcels(id)
  try {
    if (gone.what === 'history') return await clear(id, leaving)
    sessions.value = sessions.peek().filter((s) => s.id !== id)
    await api.deleteSession(id, leaving)
  } catch (err) {
    const fault = requestFault(err)
    if (fault.status !== 404) listFault.value = fault
    refreshSoon()
  }
}

/** @param {string} id @param {boolean} leaving */
async function clear(id, leaving) {
  if (sessionId.peek() === id) showEmpty()
  await api.clearHistory(id, leaving)
  refreshUntold()
}
