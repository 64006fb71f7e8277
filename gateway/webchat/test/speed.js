// How fast this machine is while a test runs. Budgets in milliseconds of CPU were set on
// one machine; on another, or beside other work, the same instructions take longer in
// CPU time, too. So what a test measures is held against a piece of work of the same
// kind that does not change.

import assert from 'node:assert/strict'

/** @returns {number} something that depends on all of the work */
function work() {
  let text = ''
  for (let i = 0; i < 4000; i++) text += `word ${i % 97} **bold** and \`code\`, `
  let sum = 0
  for (let round = 0; round < 12; round++) {
    for (const m of text.matchAll(/\*\*(\w+)\*\*|`([^`]+)`|[a-z]+(?= \d)/g)) sum += m.index % 7
    const seen = new Map()
    for (const w of text.split(' ')) seen.set(w, (seen.get(w) ?? 0) + 1)
    sum += [...seen.keys()].sort().length
  }
  return sum
}

/** @returns {number} ms of CPU */
function once() {
  const before = process.cpuUsage()
  if (work() === 0) throw new Error('the work was left out')
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

/** The least that the work has taken on two cores with nothing beside it, on 30 November 2026; it took up to twice that on the same day. */
const THERE = 34

/** How many times longer the same work takes here and now; at least 1. @returns {number} */
function slowness() {
  for (let i = 0; i < 3; i++) once() // until it is compiled
  const times = Array.from({ length: 5 }, once).sort((a, b) => a - b)
  return Math.max(1, times[2] / THERE)
}

/** Something took too long, here and now. Other work only ever adds to a time, so who can may measure again: the least counts. */
export class Slow extends assert.AssertionError {}

/** Throws Slow where something took longer than it may on a machine as slow as this one is now. @param {number} ms @param {number} most @param {string} what */
export function assertWithin(ms, most, what) {
  if (ms < most) return
  const slow = slowness()
  if (ms >= most * slow) throw new Slow({ message: `${Math.round(ms)} ms, of ${most} on a machine that is ${slow.toFixed(1)} times as fast: ${what}`, actual: ms, expected: most, operator: '<' })
}
