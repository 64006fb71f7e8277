// What the buttons do.

import { signal } from '@preact/signals'
import * as api from '../wire/api.js'
import { pause } from '../wire/backoff.js'
import { activeRuns, runningRun } from '../chat/state.js'
import { head, showBranch } from '../chat/tree.js'
import { randomId } from '../chat/ids.js'
import { enqueue, followAgain, reopen, state } from './current.js'
import { requestFault } from './account.js'
import { saveFile } from './files.js'
import { sessionId } from './route.js'
import { local } from './storage.js'

/** How often a request is repeated while a server restarts. */
const RESTART_TRIES = 8
/** Two clicks in less are one. */
const SAME_MOMENT = 700
/** Remembered, so that the notice is there from the first paint and nothing jumps. */
const OFFLINE = 'loongclaw.offline'
const never = new AbortController().signal

/** What went wrong with the last thing that somebody did here, and how to do it again. */
export const actionFault = signal(/** @type {{fault: import('../wire/fault.js').Fault, again: () => unknown}|null} */ (null))
export const offlineModel = signal(local.getItem(OFFLINE) === '1')
/** Bytes of the longest message that the server takes. */
export const maxMessage = signal(256 * 1024)
/** Messages that are about to be answered again. */
const asking = new Set()
/** Approvals whose answer is on its way. */
export const deciding = signal(/** @type {Set<string>} */ (new Set()))

/** @param {() => Promise<unknown>} act @returns {Promise<boolean>} */
async function attempt(act) {
  actionFault.value = null
  for (let tries = 0; ; tries++) {
    try {
      await act()
      return true
    } catch (err) {
      const fault = requestFault(err)
      // A planned restart is over in a moment: nobody needs to press anything.
      if (fault.code === 'draining' && tries < RESTART_TRIES) {
        await pause(Math.max(1000, fault.retryAfter * 1000), never)
        continue
      }
      if (fault.status !== 401) actionFault.value = { fault, again: () => attempt(act) }
      return false
    }
  }
}

/** Ends the running answer; without one, what waits. */
export function stop() {
  if (!activeRuns(state.peek()).length) return
  return attempt(() => api.cancel(sessionId.peek(), runningRun(state.peek())?.id))
}

/** @param {string} userId the message to answer again; a second click in the same moment asks nothing */
export async function regenerate(userId) {
  if (asking.has(userId)) return
  asking.add(userId)
  const id = sessionId.peek()
  const key = randomId()
  await attempt(async () => {
    const run = await api.regenerate(id, userId, key)
    if (sessionId.peek() !== id) return
    enqueue({ type: 'run_expected', runId: run.runId, messageId: userId })
    followAgain()
  })
  setTimeout(() => asking.delete(userId), SAME_MOMENT)
}

/** @param {string} approvalId @param {string} decision */
export async function decide(approvalId, decision) {
  deciding.value = new Set(deciding.peek()).add(approvalId)
  if (await attempt(() => api.decide(approvalId, decision))) {
    enqueue({ type: 'approval_resolved', approvalId, decision, timestamp: new Date().toISOString() })
    followAgain()
  }
  const left = new Set(deciding.peek())
  left.delete(approvalId)
  deciding.value = left
}

/** Shows another branch and has the server remember it. One of which nothing is here comes from there. @param {string} messageId */
export async function choose(messageId) {
  const id = sessionId.peek()
  if (!state.peek().messages.has(messageId)) {
    if (await attempt(() => api.patchSession(id, { head: messageId })) && sessionId.peek() === id) reopen()
    return
  }
  state.value = showBranch(state.peek(), messageId)
  const leaf = head(state.peek())
  return attempt(() => api.patchSession(sessionId.peek(), { head: leaf }))
}

export function exportMemory() {
  return attempt(async () => {
    saveFile(new Blob([await api.exportMemory()]), `loongclaw-memory-${new Date().toISOString().slice(0, 10)}.md`)
  })
}

export async function readConfig() {
  try {
    const config = await api.getConfig()
    offlineModel.value = Boolean(config.offline)
    local.setItem(OFFLINE, config.offline ? '1' : '')
    if (config.maxMessageBytes) maxMessage.value = config.maxMessageBytes
  } catch {
    // A notice and the count of a long message hang on it, no more.
  }
}

/** @param {string} text @returns {Promise<boolean>} */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return copyByHand(text)
  }
}

/** Plain-HTTP pages have no clipboard API. @param {string} text */
function copyByHand(text) {
  const area = document.createElement('textarea')
  area.value = text
  area.className = 'unseen'
  document.body.append(area)
  area.select()
  const done = document.execCommand('copy')
  area.remove()
  return done
}
