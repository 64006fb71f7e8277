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
 * @property {any} usage what it cost, where that is known
 * @property {boolean} provisional its parent is only where it waits
 * @property {string[]} siblings all messages in its place, where the server said so; they may not be here
 * @property {import('./attachment.js').Sent[]} [attachments] files that stand with a message of the user
 */

/**
 * @typedef {object} Call
 * @property {string} callId
 * @property {string} name
 * @property {unknown} args
 * @property {'running'|'approval'|'ok'|'error'|'denied'|'skipped'|'interrupted'} state interrupted: its run ended while it was running
 * @property {string} output
 * @property {string} approvalId
 * @property {string} scope
 * @property {string[]} decisions what can be decided about it
 * @property {boolean} foreign it asks since the model has read text that others may have written
 * @property {string[]} sources where that text came from
 * @property {string} expiresAt
 * @property {string} decision
 * @property {string} decidedAt
 * @property {string} startedAt when it began to run: a wait for a person is none of its time
 * @property {string} endedAt
 */

/**
 * What a model thought before an answer, or before the calls of one that has no words.
 * @typedef {object} Thought
 * @property {string} id the message that it was thought for
 * @property {string} text
 * @property {boolean} cut it is longer than what is shown of it
 * @property {string} startedAt
 * @property {string} endedAt '' while it goes on
 */

/** @typedef {{text: string, state: 'open'|'doing'|'done'}} Task */

/** @typedef {{id: string, content: string}} Summary of what is older than a message, for the model */

/**
 * @typedef {object} Run
 * @property {string} id
 * @property {string} userId the message that it answers; '' while unknown
 * @property {'waiting'|'running'|'away'|'done'|'cancelled'|'failed'|'interrupted'} status away: another client runs tools of its own
 * @property {Item[]} items answers, calls and thoughts in the order in which they came
 * @property {any} error
 * @property {any} usage
 * @property {string} startedAt
 * @property {string} endedAt
 * @property {Task[]|null} todo the list as this run wrote it last; null when it wrote none
 */

/** @typedef {{kind: 'answer', id: string} | {kind: 'call', call: Call} | {kind: 'thought', thought: Thought}} Item */

/**
 * @typedef {object} State
 * @property {string} cursor the last one seen: where to go on
 * @property {string} title
 * @property {string} [model] who is asked first, '' for the default; absent while nobody said so
 * @property {Map<string, Message>} messages
 * @property {Map<string, Run>} runs
 * @property {Map<string, string>} chosen at each fork (a node's key) the child that is shown
 * @property {string} latest the user message that was answered last: what a queued one will follow
 * @property {{phase: string, at: string}|null} status
 * @property {any} error one that belongs to no run
 * @property {Map<string, Summary>} summaries by the message up to which each goes; they come beside the events
 * @property {Task[]|null} todo the list of a turn that is not here
 */

/** @returns {State} */
export const emptyState = () => ({
  cursor: '', title: '', messages: new Map(), runs: new Map(), chosen: new Map(), latest: '', status: null, error: null, summaries: new Map(), todo: null,
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
