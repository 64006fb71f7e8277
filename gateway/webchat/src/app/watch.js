// What other tabs and devices do: the one stream of changes of the list and of
// questions. The server holds it for nothing while nothing runs, so it is open as
// long as the page is. Browsers allow few connections to one server, so of all
// tabs one holds it and tells the others.

import { effect, signal, untracked } from '@preact/signals'
import { follow } from '../wire/follow.js'
import * as api from '../wire/api.js'
import { owner, phase, requestFault } from './account.js'

/** Longer than a server takes that is only busy. */
const LATER = 30_000

/** Where the stream goes on; '' until the list was read. */
export const listCursor = signal('')
/** Why the stream is away, and when the next try is. */
export const listWait = signal(/** @type {import('../wire/follow.js').Wait|null} */ (null))

const channel = openChannel()

/** Where storage is blocked, this may be, too. */
function openChannel() {
  try {
    return new BroadcastChannel('loongclaw.list')
  } catch {
    return null
  }
}

/** @typedef {{event: (e: any) => void, lost: () => void}} Told lost: what the stream said is no longer whole */

/** @param {Told} told */
export function watchList(told) {
  /** @param {any} e */
  const take = (e) => {
    if (e.cursor) listCursor.value = e.cursor
    told.event(e)
  }
  channel?.addEventListener('message', ({ data }) => {
    if (data?.owner !== owner() || !listCursor.peek()) return
    if (data.event) take(data.event)
    else listWait.value = data.wait
  })
  effect(() => {
    if (phase.value === 'in' && listCursor.value) return untracked(() => hold(take, told.lost))
  })
  // A page that was put away heard nothing of the others.
  addEventListener('pageshow', (e) => { if (e.persisted) told.lost() })
}

/** @type {AbortController|null} */
let holding = null

/** @param {(e: any) => void} take @param {() => void} lost */
function hold(take, lost) {
  if (holding) return
  const stop = (holding = new AbortController())
  const mine = owner()
  const lead = () => follow({ address: () => api.listStream(listCursor.peek()) }, {
    event(event) {
      channel?.postMessage({ owner: mine, event })
      take(event)
    },
    state(_, wait) {
      listWait.value = wait ?? null
      channel?.postMessage({ owner: mine, wait: wait ?? null })
    },
    refused(fault) {
      if (holding === stop) holding = null
      if (requestFault(fault).status === 401) return
      // This cursor is none, or the server has no such stream: the list itself is asked.
      listCursor.value = ''
      setTimeout(lost, LATER)
    },
  }, stop.signal)
  const locks = channel && navigator.locks
  if (locks) locks.request(`loongclaw.list.${mine}`, { signal: stop.signal }, lead).catch(() => {})
  else lead()
}
