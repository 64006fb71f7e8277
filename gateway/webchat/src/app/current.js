// The session on the page: its state, and the one stream that feeds it.

import { effect, signal, untracked } from '@preact/signals'
import { applyAll } from '../chat/reducer.js'
import { activeRuns, emptyState } from '../chat/state.js'
import { showBranch } from '../chat/tree.js'
import { follow } from '../wire/follow.js'
import * as api from '../wire/api.js'
import { sessionId } from './route.js'
import { expired, phase } from './account.js'
import { unborn } from './letters.js'
import { noteEvent, resting } from './presence.js'

export const state = signal(emptyState())
/** 'none': nothing to follow yet. */
export const link = signal(/** @type {'none'|'connecting'|'open'|'lost'|'resting'|'missing'} */ ('none'))
/** The error that ended following. */
export const linkFault = signal(/** @type {import('../wire/fault.js').Fault|null} */ (null))
/** Why the connection is lost, where that is known, and when the next try is. */
export const linkWait = signal(/** @type {import('../wire/follow.js').Wait|null} */ (null))
/** Whether the shown conversation is known to hold nothing; a replay may still be on its way. */
export const empty = signal(true)
/** Raised to follow a session that did not exist before. */
const attempt = signal(0)
let asked = 0
/** Longer than the first event of a replay takes. */
const REPLAY = 4000

/** @type {any[]} */
let waiting = []
let painting = false
/** Events of a session that is no longer shown are void. */
let shown = ''
/** The branch that the server remembers; applied once the replay has brought its message. */
let wantedHead = ''

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
  if (events.some((e) => e.type === 'history_cleared')) empty.value = true
  let next = applyAll(state.peek(), events)
  if (wantedHead && next.messages.has(wantedHead)) {
    next = showBranch(next, wantedHead)
    if (activeRuns(next).length === 0) settleHead()
    else wantedHead = ''
  }
  state.value = next
}

/** A replay may come in several batches: keep to the remembered branch a moment longer. */
function settleHead() {
  const head = wantedHead
  setTimeout(() => { if (wantedHead === head) wantedHead = '' }, 1000)
}

/** The reader chose a branch, or made one: what the server remembered no longer counts. */
export function forgetHead() {
  wantedHead = ''
}

export function watchSession() {
  // A hidden tab's timer and a coming frame must not paint the old session.
  effect(() => {
    if (sessionId.value === shown) return
    shown = sessionId.value
    waiting = []
    wantedHead = ''
    linkFault.value = null
    empty.value = !shown
    state.value = emptyState()
  })
  effect(() => {
    const id = sessionId.value
    attempt.value
    if (!id || unborn.value || phase.value !== 'in') {
      link.value = 'none'
      return
    }
    if (resting.value) {
      link.value = 'resting'
      return
    }
    return untracked(() => listen(id))
  })
}

/** @param {string} id */
function listen(id) {
  const stop = new AbortController()
  if (!state.peek().cursor) rememberHead(id, stop.signal)
  linkFault.value = null
  const before = asked
  /** The cursor counts what waits for the next frame, too. */
  const cursor = () => waiting.findLast((e) => e.cursor)?.cursor ?? state.peek().cursor
  follow(id, cursor, {
    event(event) {
      noteEvent()
      enqueue(event)
    },
    state(value, wait) {
      link.value = value
      linkWait.value = wait ?? null
      if (value === 'open') emptyLater(stop.signal)
    },
    refused(fault) {
      if (stop.signal.aborted) return
      if (fault.status === 401) expired(fault)
      // It came into being while we asked.
      if (fault.status === 404 && asked !== before) return void attempt.value++
      link.value = fault.status === 404 ? 'missing' : 'none'
      if (fault.status !== 404) linkFault.value = fault
    },
  }, stop.signal)
  return () => stop.abort()
}

/** @param {string} id @param {AbortSignal} signal */
async function rememberHead(id, signal) {
  try {
    const session = await api.getSession(id)
    if (signal.aborted) return
    enqueue({ type: 'session_updated', title: session.title })
    if (session.head) wantedHead = session.head
    if (session.messages === 0) empty.value = true
  } catch {
    // Without it the newest branch is shown; the stream says what is wrong, if anything is.
  }
}

/** A server that says nothing of how much there is: what has not come by now does not. @param {AbortSignal} signal */
function emptyLater(signal) {
  setTimeout(() => { if (!signal.aborted) empty.value = true }, REPLAY)
}

/** The reader emptied the conversation. */
export function showEmpty() {
  empty.value = true
  state.value = emptyState()
}

/** Follows (again) a session that was missing, or whose stream was refused. */
export function followAgain() {
  asked++
  if (link.peek() === 'missing' || link.peek() === 'none') attempt.value++
}
