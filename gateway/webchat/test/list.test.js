import test from 'node:test'
import assert from 'node:assert/strict'
import { append, days, isNews, put, renew } from '../src/chat/list.js'
import { fromPage, prepend } from '../src/chat/older.js'
import { applyAll } from '../src/chat/reducer.js'
import { activeRuns, emptyState } from '../src/chat/state.js'
import { path, showBranch } from '../src/chat/tree.js'

/** @param {string} id @param {number} minute @param {Partial<import('../src/wire/api.js').Session>} [more] @returns {import('../src/wire/api.js').Session} */
const row = (id, minute, more) => ({ id, title: id, createdAt: '', updatedAt: new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString(), messages: 1, ...more })
const ids = (/** @type {{id: string}[]} */ rows) => rows.map((r) => r.id).join('')

test('pages join, and a row that moved up meanwhile is not there twice', () => {
  const rows = [row('c', 3), row('b', 2)]
  assert.equal(ids(append(rows, [row('b', 2), row('a', 1)])), 'cba')
})

test('a first page that is fetched anew says what is gone from its stretch, and nothing of what follows', () => {
  const rows = [row('d', 4), row('c', 3), row('b', 2), row('a', 1)]
  assert.equal(ids(renew(rows, [row('e', 5), row('c', 3)], false)), 'ecba')
  assert.equal(ids(renew(rows, [row('c', 3)], true)), 'c')
  assert.equal(ids(renew(rows, [], true)), '')
})

test('a changed row stands where it was last used; one of a page that is not here waits for that page', () => {
  const rows = [row('c', 3), row('b', 2)]
  assert.equal(ids(put(rows, row('b', 4), false)), 'bc')
  assert.equal(ids(put(rows, row('x', 5), false)), 'xcb')
  assert.equal(ids(put(rows, row('x', 1), false)), 'cb')
  assert.equal(ids(put(rows, row('x', 1), true)), 'cbx')
  assert.equal(put(rows, row('b', 2, { state: 'failed' }), false)[1].state, 'failed')
  assert.equal(ids(put([], row('x', 1), false)), 'x')
})

test('days go by the reader’s own midnight', () => {
  const now = new Date(2026, 2, 1, 0, 30)
  const at = (/** @type {number[]} */ ...d) => row('r', 0, { updatedAt: new Date(2026, ...(/** @type {[number, number, number]} */ (d))).toISOString() })
  const found = days([at(2, 1, 0), at(1, 28, 23), at(1, 27, 12), at(1, 22, 1), at(1, 21, 23), at(1, 1, 1), at(0, 31, 1)], now)
  assert.deepEqual(found.map((g) => [g.key, g.rows.length]), [['today', 1], ['yesterday', 1], ['week', 2], ['month', 2], ['month', 1]])
  assert.deepEqual(days([row('r', 0, { updatedAt: new Date(now.getTime() + 9e8).toISOString() })], now).map((g) => g.key), ['today'])
})

const say = (/** @type {string} */ n, /** @type {string} */ parentId, /** @type {any} */ more = {}) => [
  { type: 'message', runId: `r${n}`, messageId: `m${n}`, parentId, role: 'user', content: `q${n}`, ...more },
  { type: 'run_started', runId: `r${n}` },
  { type: 'message_complete', runId: `r${n}`, messageId: `a${n}`, parentId: `m${n}`, role: 'assistant', content: `x${n}`, ...more.answer },
  { type: 'run_finished', runId: `r${n}`, status: 'done' },
]

test('a row is news when it says more than what is here', () => {
  const s = applyAll(emptyState(), say('1', ''))
  assert.equal(isNews(s, row('s', 1, { state: 'idle', head: 'a1' })), false)
  assert.equal(isNews(s, row('s', 1, { state: 'idle', head: 'a2' })), true)
  assert.equal(isNews(s, row('s', 1, { state: 'running', head: 'a1' })), true)
  assert.equal(isNews(s, row('s', 1, { state: 'waiting', head: 'a1' })), true)
  assert.equal(isNews(s, row('s', 1, { state: 'idle', messages: 0 })), true)
  assert.equal(isNews(emptyState(), row('s', 1, { state: 'idle', messages: 0 })), false)
  const asks = applyAll(s, [{ type: 'run_started', runId: 'r2', messageId: 'm1' }, { type: 'approval_required', runId: 'r2', callId: 'c', approvalId: 'p' }])
  assert.equal(isNews(asks, row('s', 1, { state: 'waiting', head: 'a1' })), false)
  assert.equal(isNews(asks, row('s', 1, { state: 'failed', head: 'a1' })), true)
})

test('earlier turns join above, however often, and what is shown stays shown', () => {
  let s = fromPage([...say('3', 'a2'), ...say('4', 'a3')])
  s = applyAll(s, say('5', 'a3', { cursor: 'c9' })) // another version of the last one
  s = prepend(s, say('2', 'a1'))
  s = prepend(s, say('1', ''))
  assert.deepEqual(path(s).map((t) => t.userId), ['m1', 'm2', 'm3', 'm5'])
  assert.equal(s.cursor, 'c9')
  s = applyAll(s, say('6', 'a2')) // and one of the turn that was the first
  assert.deepEqual(path(s).map((t) => t.userId), ['m1', 'm2', 'm6'])
  let chosen = applyAll(fromPage(say('3', 'a2')), say('6', 'a2'))
  chosen = prepend(showBranch(chosen, 'm3'), say('2', 'a1'))
  assert.deepEqual(path(chosen).map((t) => t.userId), ['m2', 'm3'])
})

test('the run of a version that is not here waits for nothing; what waits its turn does', () => {
  const s = fromPage([say('1', '')[0], { type: 'run_started', runId: 'r9' },
    { type: 'message_complete', runId: 'r9', messageId: 'a9', parentId: 'm1', role: 'assistant', content: 'x', siblings: ['a1', 'a9'] },
    { type: 'run_finished', runId: 'r9', status: 'done' }])
  assert.deepEqual(activeRuns(s), [])
  assert.deepEqual(path(s)[0].runSiblings, ['a1', 'r9'])
  const waits = fromPage([...say('1', ''), { type: 'message', runId: 'r2', messageId: 'm2', role: 'user', content: 'q2', queued: true }])
  assert.equal(activeRuns(waits).length, 1)
})
