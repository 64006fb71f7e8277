// What the buttons do.

import { signal } from '@preact/signals'
import * as api from '../wire/api.js'
import { networkFault } from '../wire/fault.js'
import { activeRuns, emptyState, runningRun } from '../chat/state.js'
import { head, showBranch } from '../chat/tree.js'
import { randomId } from '../chat/ids.js'
import { enqueue, followAgain, forgetHead, state } from './current.js'
import { forgetParcels } from './letters.js'
import { expired } from './account.js'
import { sessionId } from './route.js'
import { stir } from './presence.js'
import { refreshSoon } from './sessions.js'

/** What went wrong with the last thing that somebody did here. */
export const actionFault = signal(/** @type {import('../wire/fault.js').Fault|null} */ (null))
export const offlineModel = signal(false)
/** The message that is being edited. */
export const editing = signal(/** @type {import('../chat/state.js').Message|null} */ (null))
/** Approvals whose answer is on its way. */
export const deciding = signal(/** @type {Set<string>} */ (new Set()))

/** @param {() => Promise<unknown>} act @returns {Promise<boolean>} */
async function attempt(act) {
  actionFault.value = null
  try {
    await act()
    return true
  } catch (err) {
    const fault = networkFault(err)
    if (fault.status === 401) expired(fault)
    else actionFault.value = fault
    return false
  }
}

/** Ends the running answer; without one, what waits. */
export function stop() {
  if (!activeRuns(state.peek()).length) return
  return attempt(() => api.cancel(sessionId.peek(), runningRun(state.peek())?.id))
}

/** @param {string} userId the message to answer again */
export function regenerate(userId) {
  return attempt(async () => {
    forgetHead()
    const run = await api.regenerate(sessionId.peek(), userId, randomId())
    enqueue({ type: 'run_expected', runId: run.runId, messageId: userId })
    stir()
    followAgain()
  })
}

/** @param {string} approvalId @param {string} decision */
export async function decide(approvalId, decision) {
  deciding.value = new Set(deciding.peek()).add(approvalId)
  await attempt(() => api.decide(approvalId, decision))
  stir()
  const left = new Set(deciding.peek())
  left.delete(approvalId)
  deciding.value = left
}

/** Shows another branch and has the server remember it. @param {string} messageId */
export function choose(messageId) {
  forgetHead()
  state.value = showBranch(state.peek(), messageId)
  const leaf = head(state.peek())
  return attempt(() => api.patchSession(sessionId.peek(), { head: leaf }))
}

export function clearHistory() {
  const id = sessionId.peek()
  return attempt(async () => {
    await api.clearHistory(id)
    forgetParcels(id)
    if (sessionId.peek() === id) state.value = emptyState()
    refreshSoon()
  })
}

export function exportMemory() {
  return attempt(async () => {
    const url = URL.createObjectURL(new Blob([await api.exportMemory()], { type: 'text/markdown;charset=utf-8' }))
    const a = document.createElement('a')
    a.href = url
    a.download = `loongclaw-memory-${new Date().toISOString().slice(0, 10)}.md`
    a.click()
    setTimeout(() => URL.revokeObjectURL(url), 10_000)
  })
}

export async function readConfig() {
  try {
    offlineModel.value = Boolean((await api.getConfig()).offline)
  } catch {
    // Only the banner hangs on it.
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
