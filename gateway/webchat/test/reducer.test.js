import test from 'node:test'
import assert from 'node:assert/strict'
import { apply, applyAll } from '../src/chat/reducer.js'
import { emptyState, ending, runningRun, works } from '../src/chat/state.js'
import { head, path, showBranch } from '../src/chat/tree.js'

let n = 0
/** @param {string} type @param {object} [fields] */
const ev = (type, fields = {}) => ({ type, sessionId: 's', cursor: `c${++n}`, timestamp: '2026-01-01T00:00:00.000Z', ...fields })

/** @param {string} run @param {string} user @param {string} text @param {string} [parent] */
const ask = (run, user, text, parent) => [
  ev('message', { runId: run, messageId: user, role: 'user', content: text, ...(parent ? { parentId: parent } : {}) }),
  ev('run_started', { runId: run }),
]
/** @param {string} run @param {string} id @param {string} parent @param {string[]} chunks */
const say = (run, id, parent, ...chunks) => [
  ...chunks.map((content) => ev('message_chunk', { runId: run, messageId: id, parentId: parent, content })),
  ev('message_complete', { runId: run, messageId: id, parentId: parent, role: 'assistant', content: chunks.join('') }),
]
/** @param {string} run @param {string} [status] @param {object} [more] */
const end = (run, status = 'done', more = {}) => ev('run_finished', { runId: run, status, ...more })

/** What a reader sees, one line a bubble. @param {any} s */
function seen(s) {
  const lines = []
  for (const turn of path(s)) {
    lines.push(`u:${s.messages.get(turn.userId).content}`)
    for (const i of s.runs.get(turn.runId)?.items ?? []) {
      lines.push(i.kind === 'answer' ? `a:${s.messages.get(i.id).content}` : i.kind === 'thought' ? `r:${i.thought.text}` : `t:${i.call.name}:${i.call.state}`)
    }
  }
  return lines
}

const simple = () => [...ask('r1', 'u1', 'hi'), ...say('r1', 'a1', 'u1', 'Hel', 'lo'), end('r1')]

test('an answer grows and ends', () => {
  const events = simple()
  const mid = applyAll(emptyState(), events.slice(0, 3))
  assert.deepEqual(seen(mid), ['u:hi', 'a:Hel'])
  assert.equal(mid.runs.get('r1')?.status, 'running')
  const s = applyAll(mid, events.slice(3))
  assert.deepEqual(seen(s), ['u:hi', 'a:Hello'])
  assert.equal(s.runs.get('r1')?.status, 'done')
  assert.equal(s.cursor, events.at(-1)?.cursor)
  assert.equal(head(s), 'a1')
})

test('one by one, in a batch and cut anywhere give the same state', () => {
  const events = [...simple(), ...ask('r2', 'u2', 'more', 'a1'), ev('tool_call', { runId: 'r2', callId: 'c', name: 'x', arguments: {} }),
    ev('tool_result', { runId: 'r2', callId: 'c', name: 'x', status: 'ok', output: 'y' }), ...say('r2', 'a2', 'u2', 'd', 'one'), end('r2')]
  const want = applyAll(emptyState(), events)
  assert.deepEqual(events.reduce(apply, emptyState()), want)
  for (let i = 0; i <= events.length; i++) {
    assert.deepEqual(applyAll(applyAll(emptyState(), events.slice(0, i)), events.slice(i)), want)
  }
})

test('apply does not touch the state it was given', () => {
  const events = simple()
  const mid = applyAll(emptyState(), events.slice(0, 3))
  const before = structuredClone(mid)
  applyAll(mid, events.slice(3))
  assert.deepEqual(mid, before)
})

test('a replay sends a finished answer as one chunk', () => {
  const s = applyAll(emptyState(), [...ask('r1', 'u1', 'hi'), ...say('r1', 'a1', 'u1', 'Hello'), end('r1')])
  assert.deepEqual(seen(s), ['u:hi', 'a:Hello'])
})

test('a late chunk after the answer is complete adds nothing', () => {
  const s = applyAll(emptyState(), [...simple(), ev('message_chunk', { runId: 'r1', messageId: 'a1', parentId: 'u1', content: 'lo' })])
  assert.deepEqual(seen(s), ['u:hi', 'a:Hello'])
})

test('a restarted run drops its partial answer and keeps what was complete', () => {
  const s = applyAll(emptyState(), [
    ...ask('r1', 'u1', 'hi'), ...say('r1', 'a1', 'u1', 'I look.'), ev('tool_call', { runId: 'r1', callId: 'c1', name: 'look', arguments: {} }),
    ev('tool_result', { runId: 'r1', callId: 'c1', name: 'look', status: 'ok', output: '' }),
    ev('message_chunk', { runId: 'r1', messageId: 'a2', parentId: 'a1', content: 'half a' }),
    ev('run_started', { runId: 'r1', restarted: true }), ...say('r1', 'a3', 'a1', 'whole'), end('r1'),
  ])
  assert.deepEqual(seen(s), ['u:hi', 'a:I look.', 't:look:ok', 'a:whole'])
})

test('a restarted answer may keep its id', () => {
  const s = applyAll(emptyState(), [...ask('r1', 'u1', 'hi'), ev('message_chunk', { runId: 'r1', messageId: 'a1', parentId: 'u1', content: 'old' }),
    ev('run_started', { runId: 'r1', restarted: true }), ...say('r1', 'a1', 'u1', 'new'), end('r1')])
  assert.deepEqual(seen(s), ['u:hi', 'a:new'])
})

test('between a restart and the next word the half answer is gone already', () => {
  const half = applyAll(emptyState(), [...ask('r1', 'u1', 'hi'), ev('message_chunk', { runId: 'r1', messageId: 'a1', parentId: 'u1', content: 'old' }), ev('run_started', { runId: 'r1', restarted: true })])
  assert.deepEqual(seen(half), ['u:hi'])
  assert.deepEqual(seen(apply(half, ev('message_chunk', { runId: 'r1', messageId: 'a1', parentId: 'u1', content: 'new' }))), ['u:hi', 'a:new'])
})

test('history_cleared forgets everything, and what follows counts', () => {
  const s = applyAll(emptyState(), [...simple(), { type: 'history_cleared', sessionId: 's' }, ...ask('r9', 'u9', 'again'), ...say('r9', 'a9', 'u9', 'yes'), end('r9')])
  assert.deepEqual(seen(s), ['u:again', 'a:yes'])
  assert.deepEqual(seen(applyAll(emptyState(), [...simple(), { type: 'history_cleared' }])), [])
  assert.equal(applyAll(emptyState(), [...simple(), { type: 'history_cleared' }]).cursor, '')
})

test('queued messages wait in order and follow the answers before them', () => {
  const events = [
    ...ask('r1', 'u1', 'one'), ev('message_chunk', { runId: 'r1', messageId: 'a1', parentId: 'u1', content: 'fir' }),
    ev('message', { runId: 'r2', messageId: 'u2', role: 'user', content: 'two', queued: true }),
    ev('message', { runId: 'r3', messageId: 'u3', role: 'user', content: 'three', queued: true }),
  ]
  const waiting = applyAll(emptyState(), events)
  assert.deepEqual(seen(waiting), ['u:one', 'a:fir', 'u:two', 'u:three'])
  assert.ok(waiting.messages.get('u2')?.queued)
  const s = applyAll(waiting, [
    ...say('r1', 'a1', 'u1', 'st'), end('r1'), ev('run_started', { runId: 'r2' }), ...say('r2', 'a2', 'u2', 'second'), end('r2'),
    ev('run_started', { runId: 'r3' }), ...say('r3', 'a3', 'u3', 'third'), end('r3'),
  ])
  assert.deepEqual(path(s).map((x) => [x.userSiblings.length, x.runSiblings.length]), [[1, 1], [1, 1], [1, 1]])
  assert.deepEqual(seen(s), ['u:one', 'a:st', 'u:two', 'a:second', 'u:three', 'a:third'])
  assert.ok(!s.messages.get('u2')?.queued)
})

test('an edit is a sibling, a regenerated answer a second run; both can be looked at', () => {
  let s = applyAll(emptyState(), [
    ...simple(), ...ask('r2', 'u2', 'more', 'a1'), ...say('r2', 'a2', 'u2', 'x'), end('r2'),
    ...ask('r3', 'u3', 'edited', 'a1'), ...say('r3', 'a3', 'u3', 'y'), end('r3'),
    ev('run_started', { runId: 'r4' }), ...say('r4', 'a4', 'u3', 'z'), end('r4'),
  ])
  assert.deepEqual(seen(s), ['u:hi', 'a:Hello', 'u:edited', 'a:z'])
  const [, last] = path(s)
  assert.deepEqual([last.userSiblings, last.runSiblings], [['u2', 'u3'], ['r3', 'r4']])
  s = showBranch(s, 'a3')
  assert.deepEqual(seen(s).at(-1), 'a:y')
  s = showBranch(s, 'a2')
  assert.deepEqual(seen(s), ['u:hi', 'a:Hello', 'u:more', 'a:x'])
  assert.equal(head(s), 'a2')
})

test('regenerating an older answer lands where it belongs, whether the page knew or not', () => {
  const base = [...simple(), ...ask('r2', 'u2', 'more', 'a1'), ...say('r2', 'a2', 'u2', 'x'), end('r2')]
  const again = [ev('run_started', { runId: 'r3' }), ...say('r3', 'a3', 'u1', 'Again'), end('r3')]
  const want = ['u:hi', 'a:Again']
  assert.deepEqual(seen(applyAll(emptyState(), [...base, ...again])), want)
  const told = applyAll(emptyState(), [...base, { type: 'run_expected', runId: 'r3', messageId: 'u1' }])
  assert.deepEqual(seen(told), ['u:hi'])
  assert.deepEqual(seen(applyAll(told, again)), want)
  // The run starts before the page hears the answer to its POST.
  const late = [again[0], { type: 'run_expected', runId: 'r3', messageId: 'u1' }, ev('tool_call', { runId: 'r3', callId: 'c', name: 'x', arguments: {} })]
  assert.deepEqual(seen(applyAll(emptyState(), [...base, ...late])), ['u:hi', 't:x:running'])
  // A server that says what a run answers needs no guess.
  const said = [ev('run_started', { runId: 'r3', messageId: 'u1' }), ev('tool_call', { runId: 'r3', callId: 'c', name: 'x', arguments: {} })]
  assert.deepEqual(seen(applyAll(emptyState(), [...base, ...said])), ['u:hi', 't:x:running'])
})

test('a regenerated answer that has to wait does not hide the run before it', () => {
  const busy = applyAll(emptyState(), [...simple(), ...ask('r2', 'u2', 'more', 'a1'), { type: 'run_expected', runId: 'r3', messageId: 'u1' }])
  assert.deepEqual(seen(busy), ['u:hi', 'a:Hello', 'u:more'])
  const s = applyAll(busy, [...say('r2', 'a2', 'u2', 'x'), end('r2'), ev('run_started', { runId: 'r3' }), ...say('r3', 'a3', 'u1', 'Again'), end('r3')])
  assert.deepEqual(seen(s), ['u:hi', 'a:Again'])
})

test('a cancelled run keeps its text, marked incomplete; text never completed is dropped', () => {
  const start = [...ask('r1', 'u1', 'hi'), ev('message_chunk', { runId: 'r1', messageId: 'a1', parentId: 'u1', content: 'par' })]
  const kept = applyAll(emptyState(), [...start, ev('message_complete', { runId: 'r1', messageId: 'a1', parentId: 'u1', content: 'par', incomplete: true }), end('r1', 'cancelled')])
  assert.deepEqual(seen(kept), ['u:hi', 'a:par'])
  assert.equal(kept.messages.get('a1')?.incomplete, true)
  assert.equal(kept.runs.get('r1')?.status, 'cancelled')
  assert.deepEqual(seen(applyAll(emptyState(), [...start, end('r1', 'interrupted')])), ['u:hi'])
})

test('a failed run says why, and the next message follows below it', () => {
  const error = { error: 'the provider broke off', code: 'provider_failed', hint: 'try again', requestId: 'q1' }
  const s = applyAll(emptyState(), [...ask('r1', 'u1', 'hi'), end('r1', 'failed', { error }), ...ask('r2', 'u2', 'still there?', 'u1'), ...say('r2', 'a2', 'u2', 'yes'), end('r2')])
  assert.deepEqual(s.runs.get('r1')?.error, error)
  assert.deepEqual(seen(s), ['u:hi', 'u:still there?', 'a:yes'])
})

test('tool cards pass through their states', () => {
  const call = { runId: 'r1', callId: 'c1', name: 'exec_shell', arguments: { command: 'make' } }
  const asked = [...ask('r1', 'u1', 'go'), ev('tool_call', call)]
  /** @param {any[]} more */
  const state = (...more) => seen(applyAll(emptyState(), [...asked, ...more]))[1]
  const need = ev('approval_required', { ...call, approvalId: 'p1', scope: 'exec_shell make', expiresAt: '2026-01-02T00:00:00.000Z' })
  assert.equal(state(), 't:exec_shell:running')
  assert.equal(state(need), 't:exec_shell:approval')
  assert.equal(state(need, ev('approval_resolved', { runId: 'r1', approvalId: 'p1', decision: 'once' })), 't:exec_shell:running')
  assert.equal(state(need, ev('approval_resolved', { approvalId: 'p1', decision: 'deny' })), 't:exec_shell:denied')
  for (const status of ['ok', 'error', 'denied', 'skipped']) {
    assert.equal(state(ev('tool_result', { ...call, status, output: 'o' })), `t:exec_shell:${status}`)
  }
  assert.equal(state(need, end('r1', 'cancelled')), 't:exec_shell:skipped')
  assert.equal(state(end('r1', 'cancelled')), 't:exec_shell:interrupted')
})

test('a question lists what can be decided, and why it asks', () => {
  const call = { runId: 'r1', callId: 'c1', name: 'write_file', arguments: { path: 'a' }, approvalId: 'p1', scope: 'write_file a' }
  /** @param {any} more */
  const asked = (more) => {
    const s = applyAll(emptyState(), [...ask('r1', 'u1', 'go'), ev('tool_call', call), ev('approval_required', { ...call, ...more })])
    const item = s.runs.get('r1')?.items.find((i) => i.kind === 'call')
    assert.ok(item?.kind === 'call')
    return { decisions: item.call.decisions, sources: item.call.sources }
  }
  assert.deepEqual(asked({}), { decisions: ['once', 'session', 'remember_7d', 'deny'], sources: [] })
  const decisions = ['once', 'turn', 'deny']
  assert.deepEqual(asked({ decisions, reason: 'foreign_text', sources: ['https://example.com/'] }), { decisions, sources: ['https://example.com/'] })
})

test('the same call id in two runs is two cards', () => {
  const s = applyAll(emptyState(), [...ask('r1', 'u1', 'a'), ev('tool_call', { runId: 'r1', callId: 'c', name: 'one', arguments: {} }), end('r1'),
    ...ask('r2', 'u2', 'b', 'u1'), ev('tool_call', { runId: 'r2', callId: 'c', name: 'two', arguments: {} })])
  assert.deepEqual(seen(s), ['u:a', 't:one:interrupted', 'u:b', 't:two:running'])
})

test('unknown types and fields are ignored; status and error have no cursor', () => {
  const s0 = applyAll(emptyState(), simple())
  assert.deepEqual(apply(s0, { type: 'from_the_future', cursor: 'zzz' }), { ...s0, cursor: 'zzz' })
  const s1 = apply(s0, { type: 'status', phase: 'waking', timestamp: 't' })
  assert.deepEqual([s1.status, s1.cursor], [{ phase: 'waking', at: 't' }, s0.cursor])
  assert.equal(apply(s1, ev('run_started', { runId: 'r5' })).status, null)
  assert.equal(apply(s0, ev('session_updated', { title: 'T' })).title, 'T')
})

test('a run whose client has calls is nobody\'s work until the results are there', () => {
  const call = [
    ...ask('r1', 'u1', 'hi'), ev('message_complete', { runId: 'r1', messageId: 'a1', parentId: 'u1', role: 'assistant', content: '', finish: 'tool_calls' }),
    ev('tool_call', { runId: 'r1', callId: 'c1', name: 'weather', arguments: {} }), ev('client_calls', { runId: 'r1', calls: [{ id: 'x', callId: 'c1', name: 'weather', arguments: {} }] }),
  ]
  let s = applyAll(emptyState(), call)
  assert.equal(works(s), false)
  assert.equal(runningRun(s), undefined)
  const r = s.runs.get('r1')
  assert.ok(r && ending(r, []) === 'running')
  s = apply(s, ev('tool_result', { runId: 'r1', callId: 'c1', name: 'weather', status: 'ok', output: 'cold' }))
  assert.equal(works(s), true)
  s = applyAll(s, [...say('r1', 'a2', 'a1', 'cold'), end('r1')])
  assert.deepEqual(seen(s), ['u:hi', 'a:', 't:weather:ok', 'a:cold'])
  assert.equal(works(s), false)
})

/** @param {string} id @param {string} content @param {any} [more] */
const thinks = (id, content, more) => ev('reasoning_chunk', { runId: 'r1', messageId: id, content, ...more })

test('a thought grows before its answer, and is no part of it', () => {
  const events = [...ask('r1', 'u1', 'hi'), thinks('a1', 'I am '), thinks('a1', 'thinking', { offset: 5 }), ...say('r1', 'a1', 'u1', 'Hello'), end('r1')]
  const s = applyAll(emptyState(), events)
  assert.deepEqual(seen(s), ['u:hi', 'r:I am thinking', 'a:Hello'])
  assert.equal(s.messages.get('a1')?.content, 'Hello')
  for (let i = 0; i <= events.length; i++) assert.deepEqual(applyAll(applyAll(emptyState(), events.slice(0, i)), events.slice(i)), s)
  assert.equal(head(s), 'a1')
})

test('a thought that is told anew takes the place of the old one; of a void attempt none is left', () => {
  const start = [...ask('r1', 'u1', 'hi'), thinks('a1', 'I am ')]
  assert.deepEqual(seen(applyAll(emptyState(), [...start, thinks('a1', 'I am thinking')])), ['u:hi', 'r:I am thinking'])
  assert.deepEqual(seen(applyAll(emptyState(), [...start, thinks('a2', 'Anew')])), ['u:hi', 'r:Anew'])
  assert.deepEqual(seen(applyAll(emptyState(), [...start, ev('run_started', { runId: 'r1', restarted: true }), thinks('a2', 'Anew')])), ['u:hi', 'r:Anew'])
  // Before an answer that is here already, also where it still grows.
  assert.deepEqual(seen(applyAll(emptyState(), [...ask('r1', 'u1', 'hi'), ev('message_chunk', { runId: 'r1', messageId: 'a1', parentId: 'u1', content: 'Hel' }), thinks('a1', 'Late')])), ['u:hi', 'r:Late', 'a:Hel'])
  // One before calls, one before the answer; what was stopped stays.
  const s = applyAll(emptyState(), [...start, ev('tool_call', { runId: 'r1', callId: 'c', name: 'x', arguments: {} }), thinks('a2', 'Then', { truncated: true }), end('r1', 'cancelled')])
  assert.deepEqual(seen(s), ['u:hi', 'r:I am ', 't:x:interrupted', 'r:Then'])
  const last = s.runs.get('r1')?.items.at(-1)
  assert.ok(last?.kind === 'thought' && last.thought.cut && last.thought.endedAt)
})

test('a run keeps the plan as it wrote it last, and when things began and ended', () => {
  const at = (/** @type {number} */ s) => ({ timestamp: `2026-01-01T00:00:0${s}.000Z` })
  const call = { runId: 'r1', callId: 'c1', name: 'exec_shell', arguments: {} }
  const s = applyAll(emptyState(), [
    ...ask('r1', 'u1', 'go'), ev('todo', { runId: 'r1', items: [{ text: 'a', state: 'open' }] }), ev('todo', { runId: 'r1', items: [{ text: 'a', state: 'done' }] }),
    ev('tool_call', { ...call, ...at(1) }), ev('approval_required', { ...call, ...at(2), approvalId: 'p1' }), ev('approval_resolved', { approvalId: 'p1', decision: 'once', ...at(5) }),
    ev('tool_result', { ...call, status: 'ok', output: '', ...at(7) }), end('r1', 'done', { ...at(9), usage: { totalTokens: 5 } }),
  ])
  const r = s.runs.get('r1')
  assert.deepEqual(r?.todo, [{ text: 'a', state: 'done' }])
  const item = r?.items[0]
  assert.ok(item?.kind === 'call')
  const { startedAt, endedAt, decision, decidedAt } = item.call
  assert.deepEqual([startedAt.slice(18, 19), endedAt.slice(18, 19), decision, decidedAt.slice(18, 19)], ['5', '7', 'once', '5'])
  assert.equal(r?.endedAt.slice(18, 19), '9')
  assert.deepEqual(r?.usage, { totalTokens: 5 })
})

test('files of a message, and the model of a conversation, are as the server says them', () => {
  const files = [{ path: 'a.txt', name: 'a.txt', mediaType: 'text/plain', size: 1, sha256: 'x' }]
  let s = applyAll(emptyState(), [...ask('r1', 'u1', 'hi'), ev('message', { runId: 'r2', messageId: 'u2', role: 'user', content: 'look', parentId: 'u1', attachments: files })])
  assert.equal(s.messages.get('u1')?.attachments, undefined)
  assert.deepEqual(s.messages.get('u2')?.attachments, files)
  assert.equal(s.model, undefined, 'nobody said so yet')
  s = apply(s, ev('session_updated', { title: 't', model: 'a/b' }))
  assert.equal(s.model, 'a/b')
  assert.equal(apply(s, ev('session_updated', { title: 't' })).model, '', 'without one it is the default again')
})
