// Every window: nothing is wider than it, every key leaves the layout whole.

import assert from 'node:assert/strict'
import { axe, conversation, focused, scene, send, shot, until } from './world.js'

/** @typedef {import('playwright-core').Page} Page */

const widths = [1280, 960, 768, 375, 320]
const long = 'x'.repeat(300)
/** Each alone is wider than any window. */
const wide = {
  code: '```sql\nSELECT a, COUNT(*) FROM b WHERE c = \'d\' AND ' + 'e = f AND '.repeat(40) + '\n```',
  table: `| ${'column | '.repeat(14)}\n|${'---|'.repeat(14)}\n| ${'a longer cell | '.repeat(14)}`,
  word: `An address: https://example.com/${long} and \`${long}\` in code.`,
  heading: `# ${long}`,
  quote: `> ${long}\n\n1. ${long}`,
  formula: `\\(${'a+b+'.repeat(80)}c\\)`,
}

/** What stands beyond the window's edges, although it is no part of something that scrolls. @param {Page} page */
const beyond = (page) => page.evaluate(() => {
  const found = document.documentElement.scrollWidth > innerWidth ? [`the page is ${document.documentElement.scrollWidth} px wide`] : []
  const scrolls = (/** @type {Element|null} */ el) => {
    for (; el && el !== document.body; el = el.parentElement) if (/auto|scroll|hidden|clip/.test(getComputedStyle(el).overflowX) && !el.matches('.log, .list, .page, main')) return true
    return false
  }
  for (const el of document.querySelectorAll('main, header, .log, .column, .bubble, button, textarea, input, .fault, .tool, .asks, .steps, pre, h1')) {
    const box = el.getBoundingClientRect()
    if (!box.width || !el.checkVisibility({ visibilityProperty: true }) || el.closest('.unseen, .skip') || scrolls(el.parentElement)) continue
    if (box.right > innerWidth + 1 || box.left < -1) found.push(`${el.tagName}.${el.className} ${Math.round(box.left)}–${Math.round(box.right)}`)
  }
  const log = document.querySelector('.log')
  if (log && log.scrollWidth > log.clientWidth) found.push(`the conversation scrolls sideways: ${log.scrollWidth} > ${log.clientWidth}`)
  return found
})

scene('whatever an answer, a message, a tool or an error holds, no window scrolls sideways', async (w) => {
  await w.open()
  await send(w.page, `${long} 很长的中文`.repeat(2))
  const c = await conversation(w)
  const call = { runId: c.run, callId: 'c1', name: 'exec_shell', arguments: { command: long, [long]: long } }
  c.emit('session_updated', { title: (c.title = long.slice(0, 60)) })
  c.emit('tool_call', call)
  c.emit('tool_result', { ...call, status: 'ok', output: long })
  c.emit('tool_call', { ...call, callId: 'c2', name: long.slice(0, 64) })
  c.complete(Object.values(wide).join('\n\n'))
  c.finish('failed', { error: { error: long, code: 'provider_failed', hint: long, requestId: long } })
  await w.page.getByText('The answer failed.').waitFor()
  await send(w.page, 'and ask me')
  await until(() => c.run === 'r2')
  c.emit('tool_call', { ...call, runId: c.run, callId: 'c3' })
  c.emit('approval_required', { ...call, runId: c.run, callId: 'c3', approvalId: 'p1', scope: `exec_shell ${long}`, expiresAt: '2099-01-01T00:00:00.000Z' })
  await w.page.getByRole('button', { name: 'Allow once' }).waitFor()
  for (const width of widths) {
    await w.page.setViewportSize({ width, height: 760 })
    await w.page.waitForTimeout(250) // the list slides away
    assert.deepEqual(await beyond(w.page), [], `${width} px`)
    const scope = await w.page.locator('.scope').evaluate((el) => [el.scrollHeight - el.clientHeight, getComputedStyle(el).maskImage])
    assert.deepEqual(scope, [0, 'none'], `${width} px: a part of what is asked is hidden`)
    await shot(w.page, `window-${width}`)
  }
})

/** Where the conversation and the composer stand. @param {Page} page */
const layout = (page) => page.evaluate(() => ['main', '.log', '.composer-box', '.bar'].map((s) => {
  const b = document.querySelector(s)?.getBoundingClientRect()
  return b ? [b.left, b.top, b.width, b.height].map(Math.round) : null
}))

for (const width of [1280, 960, 768, 375]) {
  scene(`${width} px: every key that is listed leaves the layout whole`, async (w) => {
    const c = w.stub.conversation('a')
    c.start({ message: 'hello' }, 'k', () => {})
    c.say('Hello.')
    await w.open('/s/a')
    await w.page.getByText('Hello.').waitFor()
    const before = await layout(w.page)
    /** @param {string} keys @param {boolean} [moves] it folds the list */
    const press = async (keys, moves) => {
      await w.page.evaluate(() => /** @type {HTMLElement|null} */ (document.activeElement)?.blur())
      await w.page.keyboard.press(keys)
      await w.page.waitForTimeout(60)
      assert.deepEqual(await beyond(w.page), [], keys)
      if (!moves) assert.deepEqual(await layout(w.page), before, keys)
      assert.equal(await w.page.locator('main').evaluate((el) => el.getBoundingClientRect().height), 800, keys)
    }
    await press('Alt+k')
    await until(async () => (await focused(w.page)) === 'Search conversations')
    if (width > 760) assert.equal(await w.page.locator('.shade').isVisible(), false)
    await press('Escape')
    await press('?')
    await press('Escape')
    await press('/')
    await press('Control+b', true)
    if (width > 760) {
      await until(async () => (await w.page.locator('main').evaluate((el) => el.getBoundingClientRect().width)) === width)
      assert.equal(await w.page.locator('.sidebar').isVisible(), false)
      await w.page.reload() // it stays folded
      await w.page.getByText('Hello.').waitFor()
      assert.equal(await w.page.locator('.sidebar').isVisible(), false)
    } else await w.page.locator('.shade').waitFor()
    assert.deepEqual(await beyond(w.page), [])
    await press('Control+b')
    await press('Alt+n')
    assert.equal(new URL(w.page.url()).pathname, '/')
  }, { width, height: 800 })
}

scene('a list that covered the page is gone when the window grows; keys and Esc work as on wide ones', async (w) => {
  await w.open()
  await w.page.getByText('guardian of the forest').waitFor()
  await w.page.getByRole('button', { name: 'Show conversations' }).click()
  await w.page.locator('.shade').waitFor()
  await until(async () => (await focused(w.page)) === 'Hide conversations')
  for (let i = 0; i < 12; i++) { // the page below cannot be reached
    await w.page.keyboard.press('Tab')
    assert.equal(await w.page.evaluate(() => Boolean(document.activeElement?.closest('main'))), false)
  }
  await w.page.keyboard.press('Escape')
  await until(async () => (await focused(w.page)) === 'Show conversations')
  await w.page.getByRole('button', { name: 'Show conversations' }).click()
  await w.page.setViewportSize({ width: 1200, height: 740 })
  await until(async () => !(await w.page.locator('.shade').count()))
  await send(w.page, 'run')
  const c = await conversation(w)
  c.chunk('going')
  await w.page.getByText('going').waitFor()
  await w.page.keyboard.press('Escape')
  await until(() => c.cancels === 1)
}, { width: 375, height: 740 })

scene('a phone: what can be pressed is 44 px, opening a conversation raises no keyboard, every row has its tools', async (w) => {
  for (const id of ['one', 'two']) {
    const c = w.stub.conversation(id)
    c.start({ message: id }, id, () => {})
    c.say(`About ${id}.\n\n\`\`\`js\nlet x\n\`\`\``)
  }
  const one = w.stub.conversation('one')
  one.regenerate('m1')
  one.say('Another.')
  await w.open('/s/one')
  await w.page.getByText('Another.').waitFor()
  const small = () => w.page.evaluate(() => [...document.querySelectorAll('button, summary, .list a, input')].flatMap((el) => {
    const b = el.getBoundingClientRect()
    return b.width && el.checkVisibility({ visibilityProperty: true }) && (b.height < 43.5 || b.width < 43.5) ? [`${el.tagName} ${el.getAttribute('aria-label') ?? el.textContent} ${b.width}×${b.height}`] : []
  }))
  assert.deepEqual(await small(), [])
  assert.deepEqual(await axe(w.page), [])
  await w.page.getByRole('button', { name: 'Show conversations' }).tap()
  await w.page.getByRole('link', { name: 'two' }).waitFor()
  await w.page.waitForTimeout(250)
  assert.deepEqual(await small(), [])
  assert.equal(await w.page.getByRole('button', { name: 'Delete' }).count(), 2)
  for (const b of await w.page.getByRole('button', { name: /Delete|Rename/ }).all()) assert.ok(await b.isVisible())
  await w.page.getByRole('link', { name: 'two' }).tap()
  await w.page.getByText('About two.').waitFor()
  assert.notEqual(await focused(w.page), 'Message')
  assert.deepEqual(await small(), [])
  await shot(w.page, 'phone')
}, { width: 375, height: 740, touch: true })

scene('printing gives all of it: each page of an answer, and a folded message whole', async (w) => {
  const c = w.stub.conversation('p')
  c.start({ message: Array.from({ length: 60 }, (_, i) => `mine ${i}`).join('\n') }, 'k', () => {})
  c.say(Array.from({ length: 400 }, (_, i) => `Paragraph ${i} of a long answer.`).join('\n\n') + '\n\n```js\n' + 'let x = 1\n'.repeat(120) + '```')
  await w.open('/s/p')
  await w.page.getByText('Paragraph 399').waitFor()
  const pages = async () => (await w.page.pdf({ format: 'A4' })).toString('latin1').match(/\/Type\s*\/Page\b(?!s)/g)?.length ?? 0
  assert.ok((await pages()) >= 10, `${await pages()} pages`)
  await w.page.evaluate(() => dispatchEvent(new Event('beforeprint')))
  await w.page.getByText('mine 59').waitFor()
  await w.page.emulateMedia({ media: 'print', colorScheme: 'dark' })
  assert.equal(await w.page.locator('.sidebar, .composer, .tools, .to-end').locator('visible=true').count(), 0)
  assert.equal(await w.page.evaluate(() => getComputedStyle(document.documentElement).getPropertyValue('--paper').trim()), '#fff')
  await w.page.evaluate(() => dispatchEvent(new Event('afterprint')))
  await until(async () => !(await w.page.getByText('mine 59').count()))
})

scene('text from right to left stands on the right; code in it stays as it is', async (w) => {
  await w.open()
  const box = w.page.getByRole('textbox', { name: 'Message' })
  await box.fill('مرحبا، كيف الحال؟')
  assert.equal(await box.evaluate((el) => getComputedStyle(el).direction), 'rtl')
  await w.page.keyboard.press('Enter')
  const c = await conversation(w)
  c.say('أهلا وسهلا بك\n\n- واحد\n- اثنان\n\n```sh\nls -l\n```\n\n1. one\n2. two\n\n> [!NOTE]\n> ملاحظة\n\n> said')
  await w.page.getByText('أهلا').waitFor()
  const at = (/** @type {string} */ s) => w.page.locator(s).first().evaluate((el) => getComputedStyle(el).direction)
  assert.equal(await at('.bubble'), 'rtl')
  assert.equal(await at('.prose ul'), 'rtl')
  assert.equal(await at('.prose pre'), 'ltr')
  assert.deepEqual([await at('.prose ol'), await at('.prose .alert'), await at('.prose .alert-title'), await at('.prose blockquote')], ['ltr', 'rtl', 'ltr', 'ltr'])
  // The sign of an item stands beside its words, inside of the answer.
  for (const list of ['ul', 'ol']) {
    const [start, end] = await w.page.locator(`.prose ${list}`).evaluate((el) => [getComputedStyle(el).paddingRight, getComputedStyle(el).paddingLeft].map(parseFloat))
    assert.ok(list === 'ul' ? start > 20 && end === 0 : end > 20 && start === 0, `${list}: right ${start}, left ${end}`)
  }
  assert.equal(await w.page.locator('.list .row-title').evaluate((el) => getComputedStyle(el).direction), 'rtl')
  await shot(w.page, 'rtl')
})

scene('lines of an answer end where they were ended, once each', async (w) => {
  await w.open()
  await send(w.page, 'a verse')
  const c = await conversation(w)
  c.say('one\ntwo  \nthree<br>\nfour\\\nfive\n\n- six\n  seven\n')
  await w.page.getByText('seven').waitFor()
  const lines = (/** @type {string} */ s) => w.page.locator(s).last().evaluate((el) => Math.round(el.getBoundingClientRect().height / parseFloat(getComputedStyle(el).lineHeight)))
  assert.deepEqual([await lines('.prose p'), await lines('.prose li')], [5, 2])
})

scene('forced colours: own messages and the current row have a border', async (w) => {
  await w.page.emulateMedia({ forcedColors: 'active' })
  await w.open()
  await send(w.page, 'hi')
  const c = await conversation(w)
  c.say('Hello.')
  await w.page.getByText('Hello.').waitFor()
  await w.page.getByRole('link', { name: 'hi' }).waitFor()
  for (const s of ['.bubble', '.list .here']) assert.notEqual(await w.page.locator(s).evaluate((el) => getComputedStyle(el).borderTopWidth), '0px', s)
  await shot(w.page, 'forced')
})

scene('short turns stand close together, and a new chat says nothing where nothing is', async (w) => {
  await w.open()
  await w.page.getByText('guardian of the forest').waitFor()
  assert.equal(await w.page.locator('.dot').count(), 0)
  for (const [n, text] of ['one', 'two', 'three'].entries()) {
    await send(w.page, text)
    const c = await conversation(w)
    await until(() => c.run === `r${n + 1}`)
    c.say(`Answer ${text}.`)
    await w.page.getByText(`Answer ${text}.`).waitFor()
  }
  await until(async () => (await w.page.locator('.bubble').count()) === 3)
  const gaps = await w.page.evaluate(() => {
    const boxes = [...document.querySelectorAll('.bubble, .prose')].map((el) => el.getBoundingClientRect())
    return boxes.slice(1).map((b, i) => Math.round(b.top - boxes[i].bottom))
  })
  for (const gap of gaps) assert.ok(gap >= 4 && gap <= 62, `gaps of ${gaps} px`)
  assert.equal(await w.page.getByText('Connected', { exact: true }).count(), 0)
  await shot(w.page, 'turns')
  // Nor is there room for actions where there are none.
  await send(w.page, 'four')
  const c = await conversation(w)
  await until(() => c.run === 'r4')
  c.finish('failed', { error: { error: 'no', code: 'provider_failed' } })
  await w.page.locator('.fault').waitFor()
  await send(w.page, 'five')
  await until(() => c.run === 'r5')
  const gap = () => w.page.evaluate(() => {
    const [fault, bubble] = [document.querySelector('.fault'), [...document.querySelectorAll('.bubble')].at(-1)].map((el) => el?.getBoundingClientRect())
    return bubble && fault ? Math.round(bubble.top - fault.bottom) : NaN
  })
  await until(async () => (await w.page.locator('.bubble').count()) === 5)
  assert.ok((await gap()) <= 40, `a gap of ${await gap()} px`)
})
