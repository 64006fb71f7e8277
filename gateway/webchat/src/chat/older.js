// What came before what is here: a page of earlier turns, joined to the state.

import { applyAll } from './reducer.js'
import { emptyState } from './state.js'
import { follow, path } from './tree.js'

/** @typedef {import('./state.js').State} State */

/**
 * A page of whole turns as a state. A message names the run that answered it first;
 * where that is another version, the page holds nothing of it, and it waits for nothing.
 * @param {any[]} events @returns {State}
 */
export function fromPage(events) {
  const s = applyAll(emptyState(), events)
  const answered = new Set([...s.runs.values()].filter((r) => r.status !== 'waiting').map((r) => r.userId))
  for (const r of s.runs.values()) if (r.status === 'waiting' && !r.items.length && answered.has(r.userId)) s.runs.delete(r.id)
  return s
}

/**
 * What is shown stays shown: the branch, the cursor and all that is known of newer turns.
 * @param {State} now @param {any[]} events of turns that began before it @returns {State}
 */
export function prepend(now, events) {
  const older = fromPage(events)
  const last = path(now).at(-1)
  const joined = {
    ...now,
    messages: new Map([...older.messages, ...now.messages]),
    runs: new Map([...older.runs, ...now.runs]),
    chosen: new Map([...now.chosen, ...older.chosen]),
    latest: now.latest || older.latest,
  }
  if (last) follow(joined, last.userId, last.runId || undefined)
  return joined
}
