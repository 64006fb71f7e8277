// How long the page is busy at once while an answer comes in: the CPU time of
// each task of its main thread, by Chromium's own trace. Wall times would count
// what else this machine does.

import assert from 'node:assert/strict'
import { assertWithin } from '../speed.js'
import { tasksOf, traced } from './trace.js'
import { conversation, scene, send, until } from './world.js'

/** @typedef {import('./world.js').World} World */

/** What a task may take is 50 ms; the rest is for a busy machine, on which the same work takes longer in CPU time, too. */
const LONGEST = 100

/** Streams the pieces and judges the tasks. @param {World} w @param {string[]} pieces @param {number} every ms between two of them @param {() => Promise<unknown>} arrived */
async function measure(w, pieces, every, arrived) {
  await w.open()
  await send(w.page, 'write')
  const c = await conversation(w)
  // What is fetched and compiled once is not the stream's doing.
  c.chunk('Begin.\n\n```js\nlet a = 1\n```\n\nThen.\n\n')
  await w.page.locator('.hljs-keyword').waitFor()
  const trace = await traced(w.page, async () => {
    for (const piece of pieces) {
      c.chunk(piece)
      await new Promise((resolve) => setTimeout(resolve, every))
    }
    await until(arrived)
    c.say('Begin.\n\n```js\nlet a = 1\n```\n\nThen.\n\n' + pieces.join(''))
    await w.page.getByRole('button', { name: 'Answer again' }).waitFor()
  })
  const times = tasksOf(trace)
  console.log(`  ${times.length} tasks, the longest ${times.slice(0, 5).map((t) => t.toFixed(0)).join(', ')} ms of CPU, ${times.filter((t) => t > 50).length} above 50 ms, ${(times.reduce((a, b) => a + b, 0) / 1000).toFixed(1)} s in all`)
  assert.ok(times.length > 50, `${times.length} tasks: the trace misses them`)
  assertWithin(times[0], LONGEST, 'the longest task')
  // One may be a collection of garbage, or a glitch of the machine; a kind of work that is too long comes again.
  assertWithin(times[3], 50, 'the fourth longest task')
}

/** @param {number} n @param {(i: number) => string} line */
const lines = (n, line) => Array.from({ length: n }, (_, i) => line(i))

scene('2,000 pieces of prose', (w) => measure(w, lines(2000, (i) => (i % 40 === 39 ? '.\n\n' : i % 7 === 3 ? ' **bold** and `code`' : ` word${i} 中文`)), 2, async () => (await w.page.locator('.prose p').count()) >= 50))

scene('a list of 400 items', (w) => measure(w, lines(400, (i) => `- item ${i} with **some** words, \`code\` and a [link](https://example.org/${i})\n`), 5, async () => (await w.page.locator('.prose li').count()) >= 399))

scene('a table of 300 rows', (w) => measure(w, ['| n | name | what | 说明 |\n|--:|---|---|---|\n', ...lines(300, (i) => `| ${i} | **name ${i}** | some \`words\` for the row | 第${i}行 |\n`)], 5, async () => (await w.page.locator('.prose tr').count()) >= 300))

scene('1,000 lines of code', (w) => measure(w, ['```ts\n', ...lines(1000, (i) => `export function f${i}(a: string, b = ${i}): string { return \`\${a} "text" ${i}\` } // line ${i}\n`), '```\n'], 2, async () => (await w.page.locator('.hljs-comment').count()) >= 999))

scene('1,000 lines of code at once', (w) => measure(w, ['```ts\n' + lines(1000, (i) => `export function f${i}(a: string, b = ${i}): string { return \`\${a} "text" ${i}\` } // line ${i}\n`).join('') + '```\n', ...lines(60, (i) => ` and ${i}`)], 5, async () => (await w.page.locator('.hljs-comment').count()) >= 1000))
