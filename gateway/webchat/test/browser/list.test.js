// The list: pages, days, states, what other tabs do; and what an idle page asks for.

import assert from 'node:assert/strict'
import { gzipSync } from 'node:zlib'
import { axe, conversation, scene, send, shot, until } from './world.js'

/** @typedef {import('./world.js').World} World */

const DAY = 86_400_000

/** @param {World} w @param {number} n @param {(i: number) => number} [ago] ms */
function many(w, n, ago = (i) => i * 3600_000) {
  for (let i = 0; i < n; i++) {
    const c = w.stub.conversation(`c${i}`)
    c.start({ message: `Conversation ${i}` }, `k${i}`, () => {})
    c.say('Yes.')
    c.usedAt = new Date(Date.now() - ago(i)).toISOString()
  }
}
/** @param {World} w */
const rows = (w) => w.page.locator('.list li').count()
/** @param {World} w @param {string} path */
const gets = (w, path) => w.stub.requests.filter((r) => r === `GET ${path}`).length
/** @param {World} w */
const streams = (w) => [...w.stub.conversations.values()].reduce((n, c) => n + c.streams.size, 0)

scene('260 conversations come by pages, as one scrolls or walks down; a page is at most 3 kB', async (w) => {
  many(w, 260)
  /** @type {number[]} */
  const sizes = []
  w.page.on('response', async (r) => { if (/\/api\/sessions\?/.test(r.url())) sizes.push(gzipSync(await r.body()).length) })
  await w.open()
  await until(async () => (await rows(w)) === 40)
  assert.equal(gets(w, '/api/sessions'), 1)
  await w.page.locator('.list').evaluate((el) => { el.scrollTop = el.scrollHeight })
  await until(async () => (await rows(w)) === 80)
  await w.page.locator('.list a[tabindex="0"]').focus()
  for (let n = 120; n <= 280; n += 40) {
    await w.page.keyboard.press('End')
    await until(async () => (await rows(w)) === Math.min(n, 260))
  }
  assert.equal(await w.page.locator('.more').count(), 0)
  const titles = await w.page.locator('.row-title').allInnerTexts()
  assert.deepEqual(titles, Array.from({ length: 260 }, (_, i) => `Conversation ${i}`))
  assert.ok(sizes.length === 7 && Math.max(...sizes) <= 3000, `${sizes}`)
})

for (const [locale, names] of /** @type {[string, string[]][]} */ ([
  ['en-GB', ['Today', 'Yesterday', 'Previous 7 days']], ['zh-CN', ['今天', '昨天', '过去 7 天']],
])) {
  scene(`the list is in days: ${locale}`, async (w) => {
    const noon = new Date().setHours(12, 0, 0, 0)
    const ages = [0, 1, 1, 3, 6, 40, 75, 400]
    many(w, ages.length, () => 0)
    for (const [i, days] of ages.entries()) w.stub.conversation(`c${i}`).usedAt = new Date(days ? noon - days * DAY - i * 1000 : Date.now()).toISOString()
    await w.open()
    await until(async () => (await rows(w)) === ages.length)
    const month = (/** @type {number} */ days) => new Intl.DateTimeFormat(locale.startsWith('zh') ? 'zh-CN' : 'en', { month: 'long', year: 'numeric' }).format(noon - days * DAY)
    assert.deepEqual(await w.page.locator('.day').allInnerTexts(), [...names, ...new Set([40, 75, 400].map(month))])
    assert.equal(await w.page.getByRole('region', { name: names[1] }).locator('li').count(), 2)
    await shot(w.page, `list-${locale}`)
  }, { locale })
}

scene('each row says its state in words, and the stream of changes keeps it true', async (w) => {
  many(w, 4)
  await w.open()
  await until(async () => (await rows(w)) === 4)
  const before = gets(w, '/api/sessions')
  const c = w.stub.conversation('c2')
  c.usedAt = ''
  c.start({ message: 'again' }, 'again', () => {})
  await w.page.getByRole('link', { name: 'Conversation 2 is answering' }).waitFor()
  assert.equal(await w.page.locator('.row-title').first().innerText(), 'Conversation 2') // last used first
  assert.equal(await w.page.title(), 'LoongClaw')
  const call = { runId: c.run, callId: 'x', name: 'write_file', arguments: { path: 'a' } }
  c.emit('tool_call', call)
  c.emit('approval_required', { ...call, approvalId: 'p1', scope: 'write_file a', expiresAt: '2099-01-01T00:00:00.000Z' })
  await w.page.getByRole('link', { name: 'Conversation 2 needs your decision' }).waitFor()
  await until(async () => (await w.page.title()).startsWith('● Needs you'))
  await shot(w.page, 'needs-you')
  assert.deepEqual(await axe(w.page), [])
  await w.page.getByRole('button', { name: 'Needs you (1)' }).click()
  await w.page.getByRole('button', { name: 'Deny' }).click()
  await until(async () => !(await w.page.title()).includes('Needs'))
  c.finish('failed', { error: { error: 'no', code: 'provider_failed' } })
  await w.page.getByRole('link', { name: 'Conversation 2 the last answer failed' }).waitFor()
  const fresh = w.stub.conversation('fresh')
  fresh.start({ message: 'From elsewhere' }, 'f', () => {})
  await w.page.getByRole('link', { name: 'From elsewhere is answering' }).waitFor()
  w.stub.conversations.delete('c3')
  w.stub.tell({ type: 'session_removed', sessionId: 'c3' })
  await until(async () => (await rows(w)) === 4)
  assert.equal(gets(w, '/api/sessions'), before, 'the list was asked for again')
})

scene('what waits for a decision is known also where its row is not on the page yet', async (w) => {
  many(w, 50)
  const c = w.stub.conversation('c49')
  c.begin('rx', 'm1')
  c.emit('approval_required', { runId: c.run, callId: 'x', name: 'write_file', arguments: {}, approvalId: 'p1', scope: 's', expiresAt: '2099-01-01T00:00:00.000Z' })
  await w.open()
  await until(async () => (await rows(w)) === 40)
  await w.page.getByRole('button', { name: 'Needs you (1)' }).click()
  await w.page.getByRole('button', { name: 'Deny' }).waitFor()
})

scene('an idle page holds one stream for all its tabs, that of the list; what happens elsewhere is seen all the same', async (w) => {
  await w.open()
  await send(w.page, 'hello')
  const c = await conversation(w)
  c.say('Hello.')
  await w.page.getByText('Hello.').waitFor()
  await until(() => streams(w) === 0)
  const second = await w.tab()
  const third = await w.tab()
  for (const tab of [second, third]) {
    await tab.goto(`${w.stub.url}/s/${c.id}`)
    await tab.getByText('Hello.').waitFor()
  }
  await until(() => streams(w) === 0)
  assert.equal(w.stub.listStreams.size, 1)
  // The stream's own tab goes: another takes it up.
  await w.page.close()
  await until(() => w.stub.listStreams.size === 1)
  await send(second, 'and now')
  await until(() => c.run === 'r2')
  for (const tab of [second, third]) await tab.getByText('and now').waitFor()
  const call = { runId: c.run, callId: 'x', name: 'write_file', arguments: { path: 'a' } }
  c.emit('tool_call', call)
  c.emit('approval_required', { ...call, approvalId: 'p1', scope: 'write_file a', expiresAt: '2099-01-01T00:00:00.000Z' })
  for (const tab of [second, third]) await tab.getByRole('button', { name: 'Allow once' }).waitFor()
  // Each tab reads the file once, to show what would change in it.
  await until(() => w.stub.requests.filter((r) => r === 'GET /api/files/a').length === 2)
  // An open question is nothing that goes on.
  await until(() => streams(w) === 0)
  const quiet = w.stub.requests.length
  await new Promise((resolve) => setTimeout(resolve, 1500))
  assert.deepEqual(w.stub.requests.slice(quiet), [], 'an idle page asked for something')
  await third.getByRole('button', { name: 'Allow once' }).click()
  await until(() => c.decisions.has('p1'))
  c.emit('tool_result', { runId: c.run, callId: 'x', name: 'write_file', status: 'ok', output: 'done' })
  c.say('Done.')
  for (const tab of [second, third]) await tab.getByText('Done.').waitFor()
  await until(() => streams(w) === 0)
  assert.equal(w.stub.listStreams.size, 1)
  // Cleared and deleted elsewhere.
  c.clear()
  await until(async () => (await second.getByText('Done.').count()) === 0)
})

scene('a list whose stream is cut goes on after the cursor; one that is refused is read anew', async (w) => {
  many(w, 2)
  await w.open()
  await until(() => w.stub.listStreams.size === 1)
  for (const res of w.stub.listStreams) res.destroy()
  const c = w.stub.conversation('missed')
  c.start({ message: 'Missed' }, 'k', () => {})
  await w.page.getByRole('link', { name: 'Missed is answering' }).waitFor()
  await until(() => w.stub.listStreams.size === 1)
}, { expected: /ERR_/ })
