// What holds times to the machine must let a slow machine pass, and nothing else.

import test from 'node:test'
import assert from 'node:assert/strict'
import { assertWithin } from './speed.js'

test('what is within its time passes, and what takes a hundred times as long does not', () => {
  assertWithin(99, 100, 'quick')
  assert.throws(() => assertWithin(10_000, 100, 'a hang'), /10000 ms, of 100 .*: a hang/)
})
