// Reading while it writes; the keyboard's way through the page; where the focus stays.

import assert from 'node:assert/strict'
import { axe, conversation, focused, paste, scene, send, shot, until } from './world.js'

/** @typedef {import('playwright-core').Page} Page */

const lines = (/** @type {string} */ name, n = 40) => Array.from({ length: n }, (_, i) => `${name} ${i}`).join('\n\n') + '\n\n'
/** @param {Page} page */
const fromEnd = (page) => page.evaluate(() => {
  const el = /** @type {Element} */ (document.querySelector('.log'))
  return Math.round(el.scrollHeight - el.scrollTop - el.clientHeight)
})
/** @param {Page} page */
const top = (page) => page.evaluate(() => /** @type {Element} */ (document.querySelector('.log')).scrollTop)

/** A long answer that goes on for as long as it is looked at. @param {import('./world.js').World} w */
async function writing(w) {
  await w.open()
  await send(w.page, 'long')
  const c = await conversation(w)
  c.chunk(lines('first'))
  await w.page.getByText('first 39').waitFor()
  await until(async () => (await top(w.page)) > 300 && (await fromEnd(w.page)) < 2)
  let n = 0
  const timer = setInterval(() => c.chunk(`more ${n++} `.repeat(5) + (n % 3 ? '' : '\n\n')), 16)
  timer.unref() // a test that fails must end
  return { c, end: () => clearInterval(timer) }
}

const ways = /** @type {[string, (page: Page) => Promise<void>][]} */ ([
  ['25 turns of a wheel of 12 px', async (page) => { for (let i = 0; i < 25; i++) { await page.mouse.wheel(0, -12); await page.waitForTimeout(16) } }],
  ['3 turns of 60 px', async (page) => { for (let i = 0; i < 3; i++) { await page.mouse.wheel(0, -60); await page.waitForTimeout(16) } }],
  ['60 turns of 3 px', async (page) => { for (let i = 0; i < 60; i++) { await page.mouse.wheel(0, -3); await page.waitForTimeout(8) } }],
  ['Page up', async (page) => { await page.locator('.log').focus(); await page.keyboard.press('PageUp') }],
  ['Arrow up', async (page) => { await page.locator('.log').focus(); for (let i = 0; i < 4; i++) { await page.keyboard.press('ArrowUp'); await page.waitForTimeout(80) } }],
  ['the scrollbar, or whatever moves the view without a word', async (page) => { await page.evaluate(async () => {
    const el = /** @type {Element} */ (document.querySelector('.log'))
    for (let i = 0; i < 10; i++) { el.scrollTop -= 10; await new Promise((resolve) => requestAnimationFrame(resolve)) }
  }) }],
])
for (const [name, move] of ways) {
  scene(`scrolling up wins while it writes: ${name}`, async (w) => {
    const { c, end } = await writing(w)
    await w.page.locator('.log').hover()
    await move(w.page)
    await w.page.waitForTimeout(250)
    // Until the hand is on it the end is in view, and goes on: only how far it is from there says who won.
    const there = await top(w.page)
    assert.ok((await fromEnd(w.page)) > 10, `${await fromEnd(w.page)} from the end`)
    await w.page.waitForTimeout(500)
    assert.ok(Math.abs((await top(w.page)) - there) < 2, 'the view went on moving')
    // Moving down to the very end holds on again.
    // One turn may end where the end was when it began.
    await until(async () => {
      await w.page.mouse.wheel(0, 100_000)
      await w.page.waitForTimeout(400)
      return (await fromEnd(w.page)) < 60
    })
    end()
    c.finish()
    await until(async () => (await fromEnd(w.page)) < 2)
  })
}

scene('a finger that pulls down wins while it writes', async (w) => {
  const { c, end } = await writing(w)
  const cdp = await w.page.context().newCDPSession(w.page)
  const finger = (/** @type {'touchStart'|'touchMove'|'touchEnd'} */ type, /** @type {number} */ y) =>
    cdp.send('Input.dispatchTouchEvent', { type, touchPoints: type === 'touchEnd' ? [] : [{ x: 180, y }] })
  await finger('touchStart', 300)
  for (let y = 304; y <= 400; y += 4) {
    await finger('touchMove', y)
    await w.page.waitForTimeout(12)
  }
  await finger('touchEnd', 400)
  await w.page.waitForTimeout(400)
  const there = await top(w.page)
  assert.ok((await fromEnd(w.page)) > 30)
  await w.page.waitForTimeout(400)
  assert.ok(Math.abs((await top(w.page)) - there) < 2)
  end()
  c.finish()
}, { width: 375, height: 640, touch: true })

scene('without a hand on it the end stays in view, also when colours, formulas or a smaller window change the height', async (w) => {
  const { c, end } = await writing(w)
  end()
  c.chunk('\n\n```js\n' + 'let x = 1\n'.repeat(30) + '```\n\n')
  await w.page.locator('.hljs-keyword').first().waitFor()
  await until(async () => (await fromEnd(w.page)) < 2)
  await w.page.setViewportSize({ width: 700, height: 420 })
  await until(async () => (await fromEnd(w.page)) < 2)
  c.finish()
})

scene('turns out of sight cost no layout, and a long conversation opens at its end', async (w) => {
  const c = w.stub.conversation('long')
  for (let i = 0; i < 120; i++) {
    c.start({ message: `question ${i}` }, `k${i}`, () => {})
    c.say(lines(`answer ${i}`, 6))
  }
  await w.open('/s/long')
  await w.page.getByText('answer 119 5').waitFor()
  await until(async () => (await fromEnd(w.page)) < 2)
  await until(async () => (await w.page.locator('.turn').count()) === 30)
  await w.page.waitForTimeout(300)
  assert.ok((await fromEnd(w.page)) < 2)
  const skipped = await w.page.evaluate(() => [...document.querySelectorAll('.turn')].filter((el) => !el.firstElementChild?.checkVisibility({ contentVisibilityAuto: true })).length)
  assert.equal(await w.page.locator('.turn').count(), 30)
  assert.ok(skipped >= 20, `${skipped} of 30 are skipped`)
})

scene('a long message of one’s own is folded, and whole on demand; copy takes all of it', async (w) => {
  await w.page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
  await w.open()
  const text = Array.from({ length: 3000 }, (_, i) => `line ${i} of what was pasted`).join('\n')
  await paste(w.page, text)
  await w.page.keyboard.press('Enter')
  const c = await conversation(w)
  c.say('Read.')
  await w.page.getByText('Read.').waitFor()
  const height = () => w.page.locator('.bubble').evaluate((el) => el.getBoundingClientRect().height)
  assert.ok((await height()) < 420, `${await height()} px`)
  await w.page.getByRole('button', { name: 'Copy message' }).click()
  assert.equal(await w.page.evaluate(() => navigator.clipboard.readText()), text)
  await w.page.getByRole('button', { name: 'Show all' }).click()
  await w.page.getByText('line 2999').waitFor()
  await w.page.getByRole('button', { name: 'Show less' }).click()
  assert.ok((await height()) < 420)
  await send(w.page, '短'.repeat(5000))
  await until(() => c.run === 'r2')
  c.say('Again.')
  await w.page.getByText('Again.').waitFor()
  assert.equal(await w.page.getByRole('button', { name: 'Show all' }).count(), 2)
  assert.deepEqual(await axe(w.page), [])
})

scene('the list is one stop for Tab; arrows, F2 and Delete work in it', async (w) => {
  for (let i = 0; i < 60; i++) {
    const c = w.stub.conversation(`c${i}`)
    c.start({ message: `talk ${i}` }, 'k', () => {})
    c.say('Yes.')
  }
  await w.open('/s/c57')
  await w.page.getByText('Yes.').waitFor()
  await w.page.getByRole('link', { name: 'talk 57' }).waitFor()
  await w.page.getByRole('searchbox').focus()
  await w.page.keyboard.press('Tab')
  assert.equal(await focused(w.page), 'talk 57') // where one is
  await w.page.keyboard.press('Tab')
  assert.equal(await w.page.evaluate(() => Boolean(document.activeElement?.closest('.list'))), false)
  await w.page.keyboard.press('Shift+Tab')
  await w.page.keyboard.press('ArrowDown')
  assert.equal(await focused(w.page), 'talk 56')
  await w.page.keyboard.press('ArrowRight')
  assert.equal(await focused(w.page), 'Rename')
  await w.page.keyboard.press('ArrowLeft')
  await w.page.keyboard.press('End')
  await until(async () => (await w.page.locator('.list li').count()) === 60)
  await w.page.keyboard.press('End')
  assert.equal(await focused(w.page), 'talk 0')
  await w.page.keyboard.press('F2')
  await until(() => w.page.evaluate(() => document.activeElement?.className === 'naming'))
  await w.page.keyboard.type('名'.repeat(70))
  await w.page.keyboard.press('Enter')
  await until(() => w.stub.conversation('c0').title === '名'.repeat(60))
  await until(async () => (await focused(w.page)) === '名'.repeat(60))
  await w.page.keyboard.press('ArrowUp')
  await w.page.keyboard.press('Delete')
  await until(async () => (await focused(w.page)) === 'undo')
  await w.page.keyboard.press('Enter')
  await w.page.getByRole('link', { name: 'talk 1', exact: true }).waitFor()
  await until(async () => (await focused(w.page)) === 'talk 1')
  // Also the shown conversation, in whose place a new chat comes.
  await w.page.getByRole('link', { name: 'talk 57', exact: true }).focus()
  await w.page.keyboard.press('Delete')
  await w.page.getByText('“talk 57” will be deleted.').waitFor()
  await w.page.waitForTimeout(300)
  assert.equal(await focused(w.page), 'undo')
  await w.page.keyboard.press('Enter')
  await w.page.getByText('Yes.').waitFor()
  await until(async () => (await focused(w.page)) === 'Message')
  assert.equal(new URL(w.page.url()).pathname, '/s/c57')
  assert.deepEqual(await axe(w.page), [])
})

scene('the focus stays: after a rename that is given up, a branch, a decision, an edit', async (w) => {
  await w.open()
  await send(w.page, 'go')
  const c = await conversation(w)
  c.say('Oak.')
  await w.page.getByRole('button', { name: 'Answer again' }).click()
  await until(() => c.run === 'r2')
  c.say('Birch.')
  await w.page.getByText('Birch.').waitFor()
  await w.page.getByRole('button', { name: 'Previous version' }).focus()
  await w.page.keyboard.press('Enter')
  await w.page.getByText('Oak.').waitFor()
  assert.equal(await focused(w.page), 'Previous version')
  await w.page.getByRole('button', { name: 'Edit', exact: true }).focus()
  await w.page.keyboard.press('Enter')
  await until(() => w.page.evaluate(() => document.activeElement?.tagName === 'TEXTAREA' && document.activeElement.id === ''))
  await w.page.keyboard.type(' on')
  await w.page.keyboard.press('Enter')
  await until(() => c.run === 'r3')
  await until(async () => (await focused(w.page)) === 'Message')
  c.say('Went.')
  await w.page.getByText('Went.').waitFor()
  // The versions of a message: its turn is another one afterwards.
  await w.page.locator('.mine').getByRole('button', { name: 'Previous version' }).focus()
  await w.page.keyboard.press('Enter')
  await w.page.locator('.bubble', { hasText: /^go$/ }).waitFor()
  await until(async () => (await focused(w.page)) === 'Previous version')
  await send(w.page, 'ask me twice')
  await until(() => c.run === 'r4')
  for (const n of [1, 2]) {
    const call = { runId: c.run, callId: `c${n}`, name: 'write_file', arguments: { path: `a${n}` } }
    c.emit('tool_call', call)
    c.emit('approval_required', { ...call, approvalId: `p${n}`, scope: `write_file a${n}` })
  }
  await w.page.getByRole('button', { name: 'Allow once' }).nth(1).waitFor()
  await w.page.getByRole('button', { name: 'Allow once' }).first().focus()
  await w.page.keyboard.press('Enter')
  await until(() => c.decisions.has('p1'))
  await until(async () => (await focused(w.page)) === 'Allow once')
  await until(async () => (await w.page.getByRole('button', { name: 'Deny' }).count()) === 1)
  await until(async () => (await focused(w.page)) === 'Allow once')
  await w.page.getByRole('button', { name: 'Deny' }).focus()
  await w.page.keyboard.press('Enter')
  await until(() => c.decisions.get('p2') === 'deny')
  await until(() => w.page.evaluate(() => document.activeElement?.tagName === 'SUMMARY'))
  const row = w.page.locator('.list .here')
  await row.hover()
  await row.getByRole('button', { name: 'Rename' }).click()
  await until(() => w.page.evaluate(() => document.activeElement?.className === 'naming'))
  await w.page.keyboard.press('Escape')
  await until(() => w.page.evaluate(() => document.activeElement?.matches('.list .here a')))
})

scene('a run that is silent for long stays followed', async (w) => {
  await w.page.clock.install()
  await w.open()
  await send(w.page, 'do it')
  const c = await conversation(w)
  c.chunk('working')
  await w.page.getByText('working').waitFor()
  await w.page.clock.runFor(10 * 60_000)
  // It was taken up again whenever it was silent. The clock stands still between two
  // looks, and so does a wait before another try.
  await until(async () => {
    await w.page.clock.runFor(100)
    return c.streams.size === 1 && await w.page.getByText(/Answering/).first().isVisible()
  })
}, { expected: /ERR_|Failed/ })
