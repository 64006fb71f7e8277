// apply(state, event): the one place where events become state. Pure: the same
// events give the same state on any tab, live or replayed.

import { emptyState, runningRun } from './state.js'
import { place, follow, path } from './tree.js'
import { endThoughts, think } from './thoughts.js'

/** @typedef {import('./state.js').State} State */
/** @typedef {import('./state.js').Call} Call */

/** What an agent before version 0.3 takes, which does not list it. */
const usualDecisions = ['once', 'session', 'remember_7d', 'deny']

/** @param {State} state @param {any} event @returns {State} */
export const apply = (state, event) => applyAll(state, [event])

/**
 * Copies once for the whole batch, so that replaying a long session stays linear.
 * @param {State} state @param {any[]} events @returns {State}
 */
export function applyAll(state, events) {
  let draft = copy(state)
  for (const event of events) {
    if (event.type === 'history_cleared') {
      draft = emptyState()
      continue
    }
    // A type that only a later server knows changes nothing but the place to go on from.
    handlers[event.type]?.(draft, event)
    if (event.cursor) draft.cursor = event.cursor
    if (event.runId) draft.status = null
  }
  return draft
}

/** @param {State} s @returns {State} */
const copy = (s) => ({ ...s, messages: new Map(s.messages), runs: new Map(s.runs), chosen: new Map(s.chosen) })

/** @type {Record<string, (draft: State, event: any) => void>} */
const handlers = {
  message(d, e) {
    if (e.role !== 'user') return
    const known = d.messages.get(e.messageId)
    d.messages.set(e.messageId, {
      id: e.messageId, parentId: e.parentId || known?.parentId || '', runId: e.runId || '', role: 'user', content: e.content ?? '',
      open: false, queued: Boolean(e.queued), incomplete: false, finish: '', timestamp: e.timestamp, usage: null, provisional: false,
      siblings: e.siblings ?? known?.siblings ?? [], ...(e.attachments?.length ? { attachments: e.attachments } : {}),
    })
    if (e.runId) {
      const r = run(d, e.runId)
      d.runs.set(r.id, { ...r, userId: e.messageId })
    }
    // A waiting message stands at the end of what is shown; its run settles the place.
    if (!known && !e.parentId && e.queued) place(d, e.messageId, path(d).at(-1)?.userId ?? '')
    follow(d, e.messageId)
  },

  run_started(d, e) {
    const r = run(d, e.runId)
    const userId = r.userId || e.messageId || e.parentId || d.latest
    const user = d.messages.get(userId)
    if (user?.queued) {
      d.messages.set(userId, { ...user, queued: false })
      if (!user.parentId || user.provisional) place(d, userId, d.latest)
    }
    // A new attempt: what the first one had half said is void.
    const items = e.restarted ? dropOpen(d, r.items) : r.items
    d.runs.set(r.id, { ...r, userId, status: 'running', items, error: null, startedAt: r.startedAt || e.timestamp })
    d.latest = userId
    d.error = null
    follow(d, userId, r.id)
  },

  reasoning_chunk(d, e) {
    const r = run(d, e.runId)
    d.runs.set(r.id, { ...r, items: think(r.items, e) })
  },

  message_chunk(d, e) {
    const m = answer(d, e)
    if (!m.open) return // its message_complete was seen; a late chunk adds nothing
    d.messages.set(m.id, { ...m, content: m.content + (e.content ?? '') })
  },

  message_complete(d, e) {
    const m = answer(d, e)
    d.messages.set(m.id, { ...m, content: e.content ?? m.content, open: false, incomplete: Boolean(e.incomplete), finish: e.finish ?? '', timestamp: e.timestamp, usage: e.usage ?? null, siblings: e.siblings ?? m.siblings })
  },

  tool_call(d, e) {
    change(d, e, (c) => ({ ...c, name: e.name ?? c.name, args: e.arguments ?? c.args, startedAt: c.startedAt || e.timestamp }))
  },

  tool_result(d, e) {
    const r = run(d, e.runId)
    if (r.status === 'away') d.runs.set(r.id, { ...r, status: 'running' })
    change(d, e, (c) => ({ ...c, name: e.name ?? c.name, state: e.status, output: e.output ?? '', endedAt: e.timestamp }))
  },

  approval_required(d, e) {
    change(d, e, (c) => ({
      ...c, name: e.name ?? c.name, args: e.arguments ?? c.args, state: 'approval',
      approvalId: e.approvalId, scope: e.scope ?? '', expiresAt: e.expiresAt ?? '', decision: '',
      decisions: e.decisions ?? usualDecisions, foreign: e.reason === 'foreign_text', sources: e.reason === 'foreign_text' ? (e.sources ?? []) : [],
    }))
  },

  approval_resolved(d, e) {
    for (const r of d.runs.values()) {
      const found = r.items.find((i) => i.kind === 'call' && i.call.approvalId === e.approvalId)
      if (!found || found.kind !== 'call') continue
      const { call } = found
      const state = call.state !== 'approval' ? call.state : e.decision === 'deny' ? 'denied' : 'running'
      change(d, { runId: r.id, callId: call.callId }, (c) => ({ ...c, state, decision: e.decision, decidedAt: e.timestamp ?? '', startedAt: e.timestamp ?? c.startedAt }))
      return
    }
  },

  // Nothing is done until the client that has the calls says what came of them.
  client_calls(d, e) {
    d.runs.set(e.runId, { ...run(d, e.runId), status: 'away' })
  },

  run_finished(d, e) {
    const r = run(d, e.runId)
    const items = dropOpen(d, endThoughts(r.items, e.timestamp)).map(leave)
    d.runs.set(r.id, { ...r, status: e.status, items, error: e.error ?? null, usage: e.usage ?? null, endedAt: e.timestamp ?? '' })
    const user = d.messages.get(r.userId)
    if (user?.queued) d.messages.set(user.id, { ...user, queued: false })
  },

  // Not from the server: this page asked for a run and knows what it answers.
  run_expected(d, e) {
    const r = run(d, e.runId)
    if (r.userId && r.items.some((i) => i.kind === 'answer')) return
    if (d.latest === r.userId && r.status !== 'waiting') d.latest = e.messageId
    d.runs.set(r.id, { ...r, userId: e.messageId })
    // While it waits behind another, that other stays in view.
    const other = runningRun(d)
    if (!other || other.id === r.id) follow(d, e.messageId, r.id)
  },

  todo(d, e) {
    const r = run(d, e.runId)
    d.runs.set(r.id, { ...r, todo: e.items ?? [] })
  },

  session_updated(d, e) {
    d.title = e.title ?? d.title
    d.model = e.model ?? ''
  },

  status(d, e) {
    d.status = e.phase === 'ready' ? null : { phase: e.phase, at: e.timestamp }
  },

  error(d, e) {
    d.error = { error: e.error, code: e.code, hint: e.hint, requestId: e.requestId }
  },
}

/** @param {State} d @param {string} id */
function run(d, id) {
  let r = d.runs.get(id)
  if (!r) {
    r = { id, userId: '', status: 'waiting', items: [], error: null, usage: null, startedAt: '', endedAt: '', todo: null }
    d.runs.set(id, r)
  }
  return r
}

/** The answer that the event is about; a new one takes its place in its run. @param {State} d @param {any} e */
function answer(d, e) {
  const known = d.messages.get(e.messageId)
  if (known) return known
  /** @type {import('./state.js').Message} */
  const m = {
    id: e.messageId, parentId: e.parentId || '', runId: e.runId || '', role: 'assistant', content: '',
    open: true, queued: false, incomplete: false, finish: '', timestamp: e.timestamp, usage: null, provisional: false, siblings: [],
  }
  d.messages.set(m.id, m)
  const r = run(d, m.runId)
  // A regenerated run has no message of its own: its answer says whom it answers.
  const parent = d.messages.get(m.parentId)
  const userId = parent?.role === 'user' ? parent.id : r.userId
  d.runs.set(r.id, { ...r, userId, items: [...endThoughts(r.items, e.timestamp), { kind: 'answer', id: m.id }] })
  if (userId !== r.userId) {
    if (r.status === 'running') d.latest = userId
    follow(d, userId, r.id)
  }
  return m
}

/** @param {State} d @param {any} e @param {(call: Call) => Call} edit */
function change(d, e, edit) {
  const r = run(d, e.runId)
  const at = r.items.findIndex((i) => i.kind === 'call' && i.call.callId === e.callId)
  const item = r.items[at]
  /** @type {Call} */
  const old = item?.kind === 'call' ? item.call : {
    callId: e.callId, name: '', args: {}, state: 'running', output: '', approvalId: '', scope: '', expiresAt: '', decision: '', decidedAt: '', decisions: [], foreign: false, sources: [], startedAt: '', endedAt: '',
  }
  /** @type {import('./state.js').Item} */
  const next = { kind: 'call', call: edit(old) }
  d.runs.set(r.id, { ...r, items: at < 0 ? [...endThoughts(r.items, e.timestamp), next] : r.items.with(at, next) })
}

/** What becomes of a call that its run did not wait for. @param {import('./state.js').Item} item @returns {import('./state.js').Item} */
function leave(item) {
  if (item.kind !== 'call' || (item.call.state !== 'running' && item.call.state !== 'approval')) return item
  return { kind: item.kind, call: { ...item.call, state: item.call.state === 'running' ? 'interrupted' : 'skipped' } }
}

/** @param {State} d @param {import('./state.js').Item[]} items */
function dropOpen(d, items) {
  return items.filter((i) => {
    if (i.kind === 'thought') return Boolean(i.thought.endedAt)
    if (i.kind !== 'answer' || !d.messages.get(i.id)?.open) return true
    d.messages.delete(i.id)
    return false
  })
}
