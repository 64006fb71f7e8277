import test from 'node:test'
import assert from 'node:assert/strict'
import { Outbox, visible } from '../src/chat/outbox.js'
import { applyAll } from '../src/chat/reducer.js'
import { emptyState } from '../src/chat/state.js'

function storage() {
  /** @type {Map<string, string>} */
  const map = new Map()
  return { getItem: (/** @type {string} */ k) => map.get(k) ?? null, setItem: (/** @type {string} */ k, /** @type {string} */ v) => void map.set(k, v), removeItem: (/** @type {string} */ k) => void map.delete(k) }
}
const parcel = (/** @type {string} */ key, more = {}) => ({ key, owner: 'local', sessionId: 's', message: `m-${key}`, at: 1000, ...more })

test('a parcel survives a new outbox on the same storage, in order', () => {
  const store = storage()
  const one = new Outbox(store, () => 1000)
  one.add(parcel('a'))
  one.add(parcel('b'))
  const two = new Outbox(store, () => 1000)
  assert.equal(two.next('local', 's')?.key, 'a')
  two.update('a', { messageId: 'm1' })
  assert.equal(two.next('local', 's')?.key, 'b')
  two.remove('a')
  assert.deepEqual(one.all().map((p) => p.key), ['b'])
})

test("another login's parcels and other sessions' are left alone", () => {
  const box = new Outbox(storage(), () => 1000)
  box.add(parcel('a', { owner: 'user:bob' }))
  box.add(parcel('b', { sessionId: 't' }))
  assert.equal(box.next('local', 's'), undefined)
})

test('a refused parcel stops its session until a person says again; the key stays', () => {
  const box = new Outbox(storage(), () => 1000)
  box.add(parcel('a'))
  box.add(parcel('b'))
  box.update('a', { refused: { error: 'no' } })
  assert.equal(box.next('local', 's'), undefined)
  box.renew('a', 'fresh')
  assert.equal(box.next('local', 's')?.key, 'a')
})

test('a parcel older than its key is never sent by itself, and gets a new key', () => {
  let now = 1000
  const box = new Outbox(storage(), () => now)
  box.add(parcel('a'))
  now += 23.5 * 3600_000
  assert.equal(box.next('local', 's'), undefined)
  box.renew('a', 'fresh')
  assert.equal(box.next('local', 's')?.key, 'fresh')
})

test('damaged storage is an empty outbox', () => {
  const store = storage()
  store.setItem('loongclaw.outbox', '{"not":"a list"}')
  assert.deepEqual(new Outbox(store).all(), [])
  store.setItem('loongclaw.outbox', '{{{')
  assert.deepEqual(new Outbox(store).all(), [])
})

test('what an event shows is not painted twice, before and after the acknowledgement', () => {
  const at = Date.parse('2026-01-01T00:00:00Z')
  const p = parcel('a', { message: 'hi', at })
  const before = emptyState()
  const after = applyAll(before, [{ type: 'message', messageId: 'u1', runId: 'r1', role: 'user', content: 'hi', cursor: 'c', timestamp: '2026-01-01T00:00:01Z' }])
  assert.deepEqual(visible([p], before).length, 1)
  assert.deepEqual(visible([p], after).length, 0)
  assert.deepEqual(visible([{ ...p, messageId: 'u1' }], before).length, 1)
  assert.deepEqual(visible([{ ...p, messageId: 'u1' }], after).length, 0)
  assert.deepEqual(visible([{ ...p, at: at + 60_000 }], after).length, 1, 'the same words said again later are another message')
  const file = /** @type {any} */ ({ path: 'uploads/d/a.txt' })
  assert.deepEqual(visible([{ ...p, attachments: [file] }], after).length, 1, 'the same words with a file are another message')
  const withFile = applyAll(before, [{ type: 'message', messageId: 'u2', runId: 'r2', role: 'user', content: 'hi', cursor: 'c', timestamp: '2026-01-01T00:00:01Z', attachments: [file] }])
  assert.deepEqual(visible([{ ...p, attachments: [file] }], withFile).length, 0)
  assert.deepEqual(visible([p], withFile).length, 1)
  assert.deepEqual(visible([{ ...p, messageId: 'u1' }, { ...p, key: 'b' }], after).map((x) => x.key), ['b'])
})
