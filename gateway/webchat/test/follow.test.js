import test from 'node:test'
import assert from 'node:assert/strict'
import { backoff } from '../src/wire/backoff.js'
import { Fault } from '../src/wire/fault.js'
import { eventStream } from '../src/wire/api.js'
import { follow } from '../src/wire/follow.js'

test('backoff doubles, is capped and keeps at least half', () => {
  assert.deepEqual([0, 1, 2, 3].map((n) => backoff(n, () => 1)), [500, 1000, 2000, 4000])
  assert.equal(backoff(0, () => 0), 250)
  assert.equal(backoff(1000, () => 1), 20_000)
})

test('which errors pass by themselves', () => {
  for (const [status, code, want] of /** @type {const} */ ([[0, 'network', true], [503, 'x', true], [502, 'x', true], [429, 'x', true], [409, 'session_busy', true],
    [409, 'conflict', false], [400, 'x', false], [401, 'x', false], [404, 'x', false], [413, 'x', false], [422, 'x', false], [500, 'x', false]])) {
    assert.equal(new Fault({ code }, status).passing, want, `${status} ${code}`)
  }
})

test('follow goes on from the cursor after a cut, and stops at a refusal', async (t) => {
  /** @type {string[]} */
  const asked = []
  const answers = [
    new Response('id: c1\ndata: {"type":"message","cursor":"c1"}\n\ndata: {"type":"cut', { status: 200 }),
    new Response('id: c2\ndata: not json\n\ndata: {"type":"run_finished","cursor":"c2"}\n\n', { status: 200 }),
    Response.json({ error: 'gone', code: 'not_found', requestId: 'q' }, { status: 404 }),
  ]
  t.mock.method(globalThis, 'fetch', async (/** @type {string} */ url) => {
    asked.push(url)
    return answers.shift()
  })
  let cursor = ''
  /** @type {string[]} */
  const types = []
  /** @type {any} */
  let refused
  await follow({ address: () => eventStream('a/b', cursor) }, {
    event(e) { cursor = e.cursor; types.push(e.type) },
    state() {},
    refused(fault) { refused = fault },
  }, new AbortController().signal)
  assert.deepEqual(asked, ['', 'after=c1&', 'after=c2&'].map((after) => `/api/sessions/a%2Fb/events?${after}until=idle`))
  assert.deepEqual(types, ['message', 'run_finished'])
  assert.equal(refused.requestId, 'q')
})

test('a stream that says that nothing goes on has ended; one that only ends is taken up again', async (t) => {
  const answers = [
    new Response('data: {"type":"message"}\n\n: idle\n\n: more\n\n', { status: 200 }),
    new Response('data: {"type":"message"}\n\n: idle\n\n', { status: 200 }),
  ]
  t.mock.method(globalThis, 'fetch', async () => answers.shift())
  /** @type {string[]} */
  const states = []
  await follow({ address: () => '/x' }, { event() {}, state(s) { states.push(s) }, refused() {} }, new AbortController().signal)
  assert.deepEqual(states, ['connecting', 'open', 'lost', 'open', 'idle'])
})
