// Long conversations: the newest turns first, older ones on the way up, and the
// place where the reader was.

import assert from 'node:assert/strict'
import { assertWithin } from '../speed.js'
import { scene, until } from './world.js'
import { tasksOf, traced } from './trace.js'

/** @typedef {import('./world.js').World} World */

/** @param {World} w @param {number} turns @param {(i: number) => string} [answer] */
function long(w, turns, answer = (i) => `Answer ${i}.\n\n${'Some words of it. '.repeat(i % 7 * 12 + 3)}`) {
  const c = w.stub.conversation('long')
  for (let i = 1; i <= turns; i++) {
    c.start({ message: `question ${i}` }, `k${i}`, () => {})
    c.say(answer(i))
  }
  return c
}
/** @param {World} w */
const questions = (w) => w.page.locator('.mine .bubble').allTextContents()
/** Which turn begins first in view, and where. One above it may still find its height: what is read stays, and not what is over the edge. @param {World} w */
const place = (w) => w.page.evaluate(() => {
  const edge = document.querySelector('.log')?.getBoundingClientRect().top ?? 0
  const first = [...document.querySelectorAll('.turn')].find((el) => el.getBoundingClientRect().top >= edge - 1)
  return { text: first?.querySelector('.bubble')?.textContent ?? '', top: Math.round((first?.getBoundingClientRect().top ?? 0) - edge) }
})
/** Where a turn stands. @param {World} w @param {string} text */
const topOf = (w, text) => w.page.evaluate((wanted) => {
  const turn = [...document.querySelectorAll('.turn')].find((el) => el.querySelector('.bubble')?.textContent === wanted)
  return Math.round((turn?.getBoundingClientRect().top ?? NaN) - (document.querySelector('.log')?.getBoundingClientRect().top ?? 0))
}, text)
/** @param {World} w @param {number} top */
const scrollTo = (w, top) => w.page.locator('.log').evaluate((el, to) => new Promise((resolve) => {
  el.scrollTop = to
  // The page hears of it with the next frame.
  requestAnimationFrame(() => requestAnimationFrame(() => resolve(undefined)))
}), top)
/** @param {World} w */
const pages = (w) => w.stub.requests.filter((r) => r === 'GET /api/sessions/long/events').length

scene('the newest 30 turns come first, older ones on the way up, and what is read keeps its place', async (w) => {
  long(w, 100)
  await w.open('/s/long')
  await w.page.getByText('Answer 100.').waitFor()
  await until(async () => (await questions(w)).length === 30)
  assert.equal((await questions(w))[0], 'question 71')
  assert.equal(await w.page.locator('.log').evaluate((el) => Math.round(el.scrollHeight - el.scrollTop - el.clientHeight)), 0)
  const asked = pages(w)
  for (let n = 0; (await questions(w)).length < 100; n++) {
    const had = (await questions(w)).length
    // Also at the very start, where a browser keeps no place by itself, and while turns are still drawn.
    await scrollTo(w, n % 2 ? 40 : 0)
    const before = await place(w)
    await until(async () => (await questions(w)).length > had)
    await w.page.waitForTimeout(200)
    const top = await topOf(w, before.text)
    assert.ok(Math.abs(before.top - top) <= 2, `${before.text} moved from ${before.top} to ${top}`)
  }
  assert.deepEqual(await questions(w), Array.from({ length: 100 }, (_, i) => `question ${i + 1}`))
  assert.equal(pages(w) - asked, 3)
  assert.equal(await w.page.locator('.older').count(), 0)
})

scene('who moves while earlier turns are drawn is where they went, also between two frames', async (w) => {
  long(w, 30)
  await w.open('/s/long')
  await until(async () => (await questions(w)).length >= 6)
  // Each time a turn comes, before the page hears of anything, the reader goes 60 px up.
  const seen = await w.page.evaluate(() => new Promise((resolve) => {
    const box = /** @type {Element} */ (document.querySelector('.log'))
    const column = /** @type {Element} */ (box.firstElementChild)
    const last = () => /** @type {Element} */ (column.lastElementChild).getBoundingClientRect().top
    /** @type {number[]} */
    const moves = []
    let before = last()
    const timer = setInterval(() => {
      const turns = column.querySelectorAll('.turn').length
      const now = last()
      if (moves.length) moves[moves.length - 1] = now - before
      if (turns === 30 || moves.length === 12) { clearInterval(timer); resolve(moves) }
      before = now
      moves.push(0)
      box.scrollTop -= 60
    }, 20)
  }))
  assert.ok(/** @type {number[]} */ (seen).length > 3, `${seen}`)
  const went = /** @type {number[]} */ (seen).reduce((a, b) => a + b, 0)
  assert.ok(went > 60 * /** @type {number[]} */ (seen).length - 90, `${seen}`)
})

scene('earlier messages that cannot be fetched say so, and are asked for again by hand', async (w) => {
  long(w, 40)
  let closed = true
  w.stub.interfere = (req) => (closed && req.url?.includes('before=') ? [503, { error: 'away', code: 'unavailable' }] : undefined)
  await w.open('/s/long')
  await until(async () => (await questions(w)).length === 30)
  await scrollTo(w, 0)
  await w.page.getByText('Earlier messages could not be fetched.').waitFor()
  closed = false
  await w.page.locator('.older').getByRole('button', { name: 'Try again' }).click()
  await until(async () => (await questions(w)).length === 40)
}, { expected: /503/ })

scene('Back and a reload show the place where the reader was, also among earlier messages; a new visit shows the end', async (w) => {
  long(w, 70)
  const other = w.stub.conversation('other')
  other.start({ message: 'elsewhere' }, 'o', () => {})
  other.say('Else.')
  await w.open('/s/long')
  await until(async () => (await questions(w)).length === 30)
  await scrollTo(w, 0)
  await until(async () => (await questions(w)).length === 60)
  await w.page.locator('.turn', { hasText: 'question 25' }).evaluate((el) => el.scrollIntoView())
  await w.page.waitForTimeout(400)
  const left = await place(w)
  assert.match(left.text, /question 2[45]/)
  const there = async () => {
    const now = await place(w)
    return now.text === left.text && Math.abs(now.top - left.top) <= 3
  }
  await w.page.locator('[data-row="other"] a').click()
  await w.page.getByText('Else.').waitFor()
  await w.page.goBack()
  await until(there)
  await w.page.reload()
  await until(there)
  await w.page.waitForTimeout(700)
  assert.ok(await there(), JSON.stringify(await place(w)))
  await w.page.locator('[data-row="other"] a').click()
  await w.page.getByText('Else.').waitFor()
  await w.page.locator('[data-row="long"] a').click()
  await w.page.getByText('Answer 70.').waitFor()
  await until(() => w.page.locator('.log').evaluate((el) => el.scrollHeight - el.scrollTop - el.clientHeight < 2))
})

scene('versions that only the server has are counted, and come when they are chosen', async (w) => {
  const c = long(w, 3)
  c.start({ message: 'question 2, said otherwise', parentId: 'a-r1' }, 'e', () => {})
  c.say('Another answer.')
  c.regenerate('m4')
  c.say('And another.')
  await w.open('/s/long')
  await w.page.getByText('And another.').waitFor()
  const picker = (/** @type {string} */ name) => w.page.getByRole('group', { name })
  await until(async () => (await picker('Version 2 of 2').count()) === 2)
  await picker('Version 2 of 2').last().getByRole('button', { name: 'Previous version' }).click()
  await w.page.getByText('Another answer.').waitFor()
  await picker('Version 2 of 2').first().getByRole('button', { name: 'Previous version' }).click()
  await w.page.getByText('Answer 3.').waitFor()
  assert.deepEqual(await questions(w), ['question 1', 'question 2', 'question 3'])
  await picker('Version 1 of 2').getByRole('button', { name: 'Next version' }).click()
  await w.page.getByText('question 2, said otherwise').waitFor()
})

scene('500 messages: the last screen is there at little cost, and nothing holds the page up', async (w) => {
  long(w, 250, (i) => `## Answer ${i}\n\nSome **words**, a [link](https://example.org/${i}) and \`code\`.\n\n- one\n- two\n- three\n\n| a | b |\n|---|---|\n| ${i} | 2 |\n\n${'More words of the answer. '.repeat(20)}`)
  await w.open('/')
  await w.page.locator('.welcome').waitFor()
  await w.page.locator('[data-row="long"]').waitFor()
  await w.page.waitForTimeout(500)
  const opening = await traced(w.page, async () => {
    await w.page.locator('[data-row="long"] a').click()
    await w.page.getByRole('heading', { name: 'Answer 250', exact: true }).waitFor()
  })
  const cpu = tasksOf(opening)
  const total = cpu.reduce((a, b) => a + b, 0)
  console.log(`  open: ${total.toFixed(0)} ms of CPU, the longest ${cpu.slice(0, 3).map((t) => t.toFixed(0)).join(', ')}`)
  assertWithin(total, 300, 'until the last screen')
  assertWithin(cpu[0], 100, 'the longest task')
  await until(async () => (await w.page.locator('.turn').count()) === 30)
  const rest = tasksOf(await traced(w.page, async () => {
    await scrollTo(w, 0)
    await until(async () => (await w.page.locator('.turn').count()) === 60)
  }))
  console.log(`  older: the longest ${rest.slice(0, 3).map((t) => t.toFixed(0)).join(', ')}`)
  assertWithin(rest[0], 100, 'the longest task on the way up')
})
