import test from 'node:test'
import assert from 'node:assert/strict'
import { EventParser } from '../src/wire/sse.js'

/** @param {Uint8Array[]} pieces */
function read(pieces) {
  /** @type {any[]} */
  const events = []
  const parser = new EventParser((e) => events.push([e.id, e.type, e.data]))
  for (const p of pieces) parser.push(p)
  return events
}
const bytes = (/** @type {string} */ text) => new TextEncoder().encode(text)

const stream = '\ufeff: hello\n\nid: 1\nevent: message\ndata: {"a":"熊大 🐻"}\n\nid:2\r\ndata: one\r\ndata:two\r\n\r\nretry: 5\ndata\n\nid: bad\0id\rdata: cr\r\rdata: cut of'
const want = [['1', 'message', '{"a":"熊大 🐻"}'], ['2', 'message', 'one\ntwo'], ['2', 'message', ''], ['2', 'message', 'cr']]

test('an event stream in one piece', () => assert.deepEqual(read([bytes(stream)]), want))

test('cut at every byte', () => {
  const all = bytes(stream)
  for (let i = 0; i <= all.length; i++) assert.deepEqual(read([all.slice(0, i), all.slice(i)]), want, `cut at ${i}`)
})

test('byte by byte', () => assert.deepEqual(read([...bytes(stream)].map((b) => Uint8Array.of(b))), want))
