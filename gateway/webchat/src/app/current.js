// The session on the page: its state, and what feeds it. The newest turns come as
// one page; what follows is read until nothing goes on, so that a conversation in
// which nothing happens holds no stream. Whoever knows of news calls followAgain.

import { effect, signal, untracked } from '@preact/signals'
import { applyAll } from '../chat/reducer.js'
import { isNews } from '../chat/list.js'
import { fromPage, prepend } from '../chat/older.js'
import { emptyState } from '../chat/state.js'
import { follow } from '../wire/follow.js'
import * as api from '../wire/api.js'
import { sessionId } from './route.js'
import { phase, requestFault } from './account.js'
import { unborn } from './letters.js'

/** As many turns as are fetched at once. */
const TURNS = 30
/** Conversations that were left and are kept as they were. */
const KEPT = 8

export const state = signal(emptyState())
/** 'none': nothing to follow yet. 'idle': nothing goes on. */
export const link = signal(/** @type {'none'|'connecting'|'open'|'lost'|'idle'|'missing'} */ ('none'))
/** The error that ended following. */
export const linkFault = signal(/** @type {import('../wire/fault.js').Fault|null} */ (null))
/** Why the connection is lost, where that is known, and when the next try is. */
export const linkWait = signal(/** @type {import('../wire/follow.js').Wait|null} */ (null))
/** Whether the shown conversation is known to hold nothing. */
export const empty = signal(true)
/** Where the turns before the first one here begin; '' when there are none. */
export const older = signal('')
/** Whether they are on their way, or could not be fetched. */
export const olderState = signal(/** @type {'idle'|'fetching'|'failed'} */ ('idle'))

/** Raised to follow anew. */
const attempt = signal(0)
/** How often news was told of. */
let asked = 0

/** @type {any[]} */
let waiting = []
let painting = false
/** Events of a session that is no longer shown are void. */
let shown = ''
/** @type {Map<string, {state: import('../chat/state.js').State, older: string}>} */
const left = new Map()

/** Paints at most once a frame; a hidden tab has no frames, so there a timer does it. @param {any} event */
export function enqueue(event) {
  waiting.push(event)
  if (painting) return
  painting = true
  if (document.visibilityState === 'visible') requestAnimationFrame(flush)
  else setTimeout(flush, 200)
}

function flush() {
  painting = false
  const events = waiting
  waiting = []
  if (!events.length) return
  if (events.some((e) => e.type === 'history_cleared')) {
    empty.value = true
    older.value = ''
  }
  state.value = applyAll(state.peek(), events)
}

/** @param {string} id takes the place of what was shown */
function show(id) {
  if (shown && state.peek().cursor) {
    left.delete(shown)
    left.set(shown, { state: state.peek(), older: older.peek() })
    if (left.size > KEPT) left.delete(left.keys().next().value ?? '')
  }
  const kept = left.get(id)
  shown = id
  waiting = []
  linkFault.value = null
  olderState.value = 'idle'
  empty.value = !id
  older.value = kept?.older ?? ''
  state.value = kept?.state ?? emptyState()
}

export function watchSession() {
  // A hidden tab's timer and a coming frame must not paint the old session.
  effect(() => { if (sessionId.value !== shown) untracked(() => show(sessionId.peek())) })
  effect(() => {
    const id = sessionId.value
    attempt.value
    if (!id || unborn.value || phase.value !== 'in') {
      link.value = 'none'
      return
    }
    return untracked(() => listen(id))
  })
}

/** @param {string} id */
function listen(id) {
  const stop = new AbortController()
  if (!state.peek().title) nameIt(id, stop.signal)
  linkFault.value = null
  const before = asked
  /** The cursor counts what waits for the next frame, too. */
  const cursor = () => waiting.findLast((e) => e.cursor)?.cursor ?? state.peek().cursor
  const source = {
    address: () => api.eventStream(id, cursor()),
    first: async (/** @type {AbortSignal} */ signal) => { if (!cursor()) await openAt(id, signal) },
  }
  follow(source, {
    event: enqueue,
    state(value, wait) {
      link.value = value
      linkWait.value = wait ?? null
      // Something was told of while this was about to end.
      if (value === 'idle' && asked !== before) attempt.value++
    },
    refused(fault) {
      if (stop.signal.aborted) return
      requestFault(fault)
      // It came into being while we asked.
      if (fault.status === 404 && asked !== before) return void attempt.value++
      link.value = fault.status === 404 ? 'missing' : 'none'
      if (fault.status !== 404) linkFault.value = fault
    },
  }, stop.signal)
  return () => stop.abort()
}

/** The newest turns, at once. @param {string} id @param {AbortSignal} signal */
async function openAt(id, signal) {
  const page = await api.getTurns(id, TURNS, '', signal)
  if (signal.aborted) return
  waiting = []
  const opened = fromPage(page.events)
  state.value = { ...opened, title: opened.title || state.peek().title, model: opened.model ?? state.peek().model, cursor: page.next }
  older.value = page.before ?? ''
  empty.value = state.value.messages.size === 0
}

/** The turns before those that are here. */
export async function fetchOlder() {
  const id = sessionId.peek()
  const before = older.peek()
  if (!before || olderState.peek() === 'fetching') return
  olderState.value = 'fetching'
  try {
    const page = await api.getTurns(id, TURNS, before)
    if (shown !== id || older.peek() !== before) return
    state.value = prepend(state.peek(), page.events)
    older.value = page.before ?? ''
    olderState.value = 'idle'
  } catch (err) {
    if (shown !== id) return
    requestFault(err)
    olderState.value = 'failed'
  }
}

/** @param {string} id @param {AbortSignal} signal */
async function nameIt(id, signal) {
  try {
    const { title, model = '' } = await api.getSession(id)
    const now = state.peek()
    if (!signal.aborted && (!now.title || now.model === undefined)) state.value = { ...now, title: now.title || title, model: now.model ?? model }
  } catch {
    // The list may know it, and the events do; what is wrong with the session they say, too.
  }
}

/** Begins anew: what is shown is another branch now, of which nothing is here. */
export function reopen() {
  waiting = []
  state.value = { ...emptyState(), title: state.peek().title, model: state.peek().model }
  older.value = ''
  attempt.value++
}

/** The reader emptied the conversation. */
export function showEmpty() {
  empty.value = true
  older.value = ''
  state.value = emptyState()
}

/** Follows (again): something goes on, or a stream was refused. */
export function followAgain() {
  asked++
  if (link.peek() === 'missing' || link.peek() === 'none' || link.peek() === 'idle') attempt.value++
}

/** What the list says of a conversation. @param {api.Session} row */
export function rowChanged(row) {
  const s = state.peek()
  if (row.id !== shown) return
  const { title = '', model = '' } = row
  if ((title && title !== s.title) || model !== (s.model ?? '')) state.value = { ...s, title: title || s.title, model }
  if (isNews(s, row)) followAgain()
}

/** It is gone, wherever that was done. @param {string} id */
export function rowRemoved(id) {
  left.delete(id)
  if (id !== shown || unborn.peek()) return
  state.value = emptyState()
  older.value = ''
  followAgain()
}
