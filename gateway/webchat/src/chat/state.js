// What a session's events say, as data. Nothing here knows the page or the network.

/**
 * @typedef {object} Message
 * @property {string} id
 * @property {string} parentId '' when it has none, or none is known yet
 * @property {string} runId the run that answers it (user) or that it is part of (assistant)
 * @property {'user'|'assistant'} role
 * @property {string} content
 * @property {boolean} open an answer that still grows
 * @property {boolean} queued
 * @property {boolean} incomplete
 * @property {string} finish why the answer ended; '' when that was not said
 * @property {string} timestamp
 * @property {boolean} provisional its parent is only where it waits
 * @property {string[]} siblings all messages in its place, where the server said so; they may not be here
 */

/**
 * @typedef {object} Call
 * @property {string} callId
 * @property {string} name
 * @property {unknown} args
 * @property {'running'|'approval'|'ok'|'error'|'denied'|'skipped'} state
 * @property {string} output
 * @property {string} approvalId
 * @property {string} scope
 * @property {string[]} decisions what can be decided about it
 * @property {string[]} sources where text comes from that others may have written, if that is why it asks
 * @property {string} expiresAt
 * @property {string} decision
 */

/**
 * @typedef {object} Run
 * @property {string} id
 * @property {string} userId the message that it answers; '' while unknown
 * @property {'waiting'|'running'|'away'|'done'|'cancelled'|'failed'|'interrupted'} status away: another client runs tools of its own
 * @property {Item[]} items answers and calls in the order in which they came
 * @property {any} error
 * @property {any} usage
 * @property {string} startedAt
 */

/** @typedef {{kind: 'answer', id: string} | {kind: 'call', call: Call}} Item */

/**
 * @typedef {object} State
 * @property {string} cursor the last one seen: where to go on
 * @property {string} title
 * @property {Map<string, Message>} messages
 * @property {Map<string, Run>} runs
 * @property {Map<string, string>} chosen at each fork (a node's key) the child that is shown
 * @property {string} latest the user message that was answered last: what a queued one will follow
 * @property {{phase: string, at: string}|null} status
 * @property {any} error one that belongs to no run
 */

/** @returns {State} */
export const emptyState = () => ({
  cursor: '', title: '', messages: new Map(), runs: new Map(), chosen: new Map(), latest: '', status: null, error: null,
})

/** @param {State} s @returns {Run[]} */
export const activeRuns = (s) => [...s.runs.values()].filter((r) => r.status === 'running' || r.status === 'waiting')

/** @param {State} s @returns {Run|undefined} */
export const runningRun = (s) => [...s.runs.values()].find((r) => r.status === 'running')

/** @param {Run} run */
export const asks = (run) => run.items.some((i) => i.kind === 'call' && i.call.state === 'approval')

/** Whether the running answer waits for a person. @param {State} s */
export function waitsForDecision(s) {
  const run = runningRun(s)
  return run !== undefined && asks(run)
}

/** Whether something is being done: a run that waits for a person, and what waits behind it, is not. @param {State} s */
export const works = (s) => activeRuns(s).length > 0 && !waitsForDecision(s)

/** @typedef {'running'|'whole'|'cancelled'|'failed'|'interrupted'|'length'|'content_filter'|'refusal'|'empty'} Ending */

/**
 * How a run ended, for its reader. An answer without a word is empty, whatever was said of it.
 * @param {Run} run @param {(Message|undefined)[]} answers those of its items that are one
 * @returns {Ending}
 */
export function ending(run, answers) {
  if (run.status === 'waiting' || run.status === 'running' || run.status === 'away') return 'running'
  if (run.status !== 'done') return run.status
  const last = answers.findLast((m) => m !== undefined)
  if (last?.finish === 'length' || last?.finish === 'content_filter' || last?.finish === 'refusal') return last.finish
  return last?.content.trim() ? 'whole' : 'empty'
}
