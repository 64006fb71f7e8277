// Said as what it is, in the reader's language.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { faults } from '../../src/i18n/faults.zh.js'
import { axe, conversation, scene, send, shot, until } from './world.js'

const limits = /** @type {[number, string, string, string, RegExp][]} */ ([
  [429, 'too_many_runs', 'As many answers are running as may run at once.', 'This one is sent when one ends.', /同时进行的回答已达上限/],
  [429, 'rate_limited', 'Too many requests in a short time.', 'It is sent by itself when the limit allows.', /短时间内请求过多/],
  [409, 'session_busy', 'As many messages wait in this conversation as may.', 'This one is sent when one of them has its answer.', /排队的消息已满/],
  [503, 'unavailable', 'The agent is not ready yet.', 'It is sent by itself.', /智能体尚未就绪/],
  [503, 'store_unavailable', 'The store could not keep this.', 'It is sent by itself.', /存储暂时无法写入/],
])

for (const [status, code, cause, when, zh] of limits) {
  scene(`${code} is said with its cause, a time and a way out, and never as waking`, async (w) => {
    const other = w.stub.conversation('busy')
    other.start({ message: 'the long one' }, 'k', () => {})
    let closed = true
    w.stub.interfere = (req) => (closed && req.method === 'POST' && req.url?.endsWith('/runs') ? [status, { error: `server words for ${code}`, code, hint: 'server hint', requestId: 'q-1' }, { 'Retry-After': '23' }] : undefined)
    await w.open()
    await w.page.getByRole('link', { name: 'the long one' }).waitFor()
    await send(w.page, 'wait for it')
    const hold = w.page.locator('.hold')
    await hold.getByText(cause).waitFor()
    await hold.getByText(when).waitFor()
    assert.match(await hold.innerText(), /next try in 2[0-3] s/)
    assert.match(await hold.innerText(), new RegExp(`server words for ${code} · server hint`))
    await w.page.waitForTimeout(2500)
    assert.equal(await w.page.getByText('Waking').count(), 0)
    assert.equal(await w.page.getByText('sending…').count(), 0)
    if (code === 'too_many_runs') await hold.getByRole('link', { name: 'the long one' }).waitFor()
    assert.deepEqual(await axe(w.page), [])
    await w.page.getByLabel('Menu').click()
    await w.page.getByRole('button', { name: '中文' }).click()
    await hold.getByText(zh).waitFor()
    assert.match(await hold.innerText(), /秒后重试/)
    await shot(w.page, `limit-${code}`)
    assert.deepEqual(await axe(w.page), [])
    await hold.getByRole('button', { name: '放回输入框' }).click()
    assert.equal(await w.page.getByRole('textbox', { name: '消息' }).inputValue(), 'wait for it')
    closed = false
    await w.page.getByRole('textbox', { name: '消息' }).press('Enter')
    await until(() => w.stub.conversations.size === 2)
    assert.equal([...w.stub.conversations.values()].at(-1)?.events.filter((e) => e.type === 'message').length, 1)
  }, { expected: /429|409|503|404/ })
}

scene('a message that waits goes by itself when it may, and at once when somebody says so', async (w) => {
  let closed = true
  w.stub.interfere = (req) => (closed && req.url?.endsWith('/runs') ? [429, { error: 'no', code: 'rate_limited' }, { 'Retry-After': '600' }] : undefined)
  await w.open()
  await send(w.page, 'one')
  await send(w.page, 'two')
  await w.page.getByText('waits behind the message before it').waitFor()
  await w.page.getByRole('button', { name: 'Try now' }).click()
  await w.page.getByText('next try').waitFor()
  closed = false
  await w.page.getByRole('button', { name: 'Try now' }).click()
  const c = await conversation(w)
  await until(() => c.events.filter((e) => e.type === 'message').length === 2)
}, { expected: /429|404/ })

scene('a stream that a limit keeps away is no lost connection', async (w) => {
  const c = w.stub.conversation('a')
  c.start({ message: 'hello' }, 'k', () => {})
  c.say('Hello.')
  w.stub.interfere = (req) => (req.url?.includes('/events') ? [429, { error: 'too many open', code: 'rate_limited' }, { 'Retry-After': '30' }] : undefined)
  await w.open('/s/a')
  await w.page.getByText(/A limit of the server. It goes on in \d+ s/).waitFor()
  assert.equal(await w.page.getByText('Connection lost').count(), 0)
}, { expected: /429/ })

const codes = Object.keys(faults)
scene('every error of an answer is said in Chinese, with the server’s words beside it', async (w) => {
  const c = w.stub.conversation('a')
  for (const code of codes) {
    c.start({ message: code }, code, () => {})
    c.finish('failed', { error: { error: `words of ${code}`, code, hint: `hint of ${code}`, requestId: `q-${code}` } })
  }
  await w.open('/s/a')
  await w.page.getByText(`words of ${codes.at(-1)}`).waitFor()
  await until(async () => {
    await w.page.locator('.log').evaluate((el) => { el.scrollTop = 0 })
    return (await w.page.locator('.fault').count()) === codes.length
  })
  const texts = await w.page.locator('.fault').evaluateAll((all) => all.map((el) => [...el.children].map((p) => p.textContent).join('\n')))
  assert.equal(texts.length, codes.length)
  for (const [i, code] of codes.entries()) {
    const [text, next] = faults[code]
    for (const part of [text, next, `words of ${code} · hint of ${code}`, `q-${code}`]) assert.ok(texts[i].includes(part), `${code}: ${texts[i]}`)
  }
}, { locale: 'zh-CN' })

scene('a code of a later server is said in its own words', async (w) => {
  await w.open()
  await send(w.page, 'x')
  const c = await conversation(w)
  c.finish('failed', { error: { error: 'words of tomorrow', code: 'constructor', hint: 'a hint' } })
  await w.page.getByText('words of tomorrow').waitFor()
  await w.page.getByText('a hint').waitFor()
})

scene('an action that a limit refuses says when it can be done again, and does it', async (w) => {
  const c = w.stub.conversation('a')
  c.start({ message: 'hello' }, 'k', () => {})
  c.say('Hello.')
  let closed = true
  w.stub.interfere = (req) => (closed && req.url?.endsWith('/regenerate') ? [429, { error: 'no', code: 'too_many_runs' }, { 'Retry-After': '5' }] : undefined)
  await w.open('/s/a')
  await w.page.getByRole('button', { name: 'Answer again' }).click()
  await w.page.getByText('As many answers are running as may run at once.').waitFor()
  await w.page.getByText(/Possible again in [1-5] s/).waitFor()
  closed = false
  await w.page.getByRole('button', { name: 'Try again' }).click()
  await until(() => c.run === 'r2')
  assert.equal(await w.page.locator('.fault').count(), 0)
}, { expected: /429/ })

scene('an address that is none of the page says so', async (w) => {
  const index = readFileSync(new URL('../../dist/index.html', import.meta.url), 'utf8')
  await w.page.route('**/no/such/page', (route) => route.fulfill({ status: 404, contentType: 'text/html', body: index }))
  await w.open('/no/such/page')
  await w.page.getByText('There is no page at this address.').waitFor()
  assert.deepEqual(await axe(w.page), [])
  await w.page.getByRole('main').getByRole('button', { name: 'New chat' }).click()
  await w.page.getByText('guardian of the forest').waitFor()
  assert.equal(new URL(w.page.url()).pathname, '/')
}, { expected: /404/ })

scene('the notice of the offline model moves nothing, says the next step and can be closed', async (w) => {
  w.stub.offline = true
  await w.page.addInitScript(() => {
    /** @type {any} */ (window).shifts = 0
    new PerformanceObserver((list) => { for (const e of list.getEntries()) if (!/** @type {any} */ (e).hadRecentInput) /** @type {any} */ (window).shifts += /** @type {any} */ (e).value }).observe({ type: 'layout-shift', buffered: true })
  })
  await w.open()
  await w.page.getByText('the built-in offline model answers').waitFor()
  await w.page.getByText('GLM_API_KEY=… make run').waitFor()
  await w.page.waitForTimeout(300)
  assert.ok((await w.page.evaluate(() => /** @type {any} */ (window).shifts)) < 0.01)
  assert.deepEqual(await axe(w.page), [])
  await w.page.getByRole('button', { name: 'Dismiss' }).click()
  await w.page.reload()
  await w.page.getByText('guardian of the forest').waitFor()
  await w.page.waitForTimeout(200)
  assert.equal(await w.page.getByText('the built-in offline model answers').count(), 0)
}, { width: 375, height: 740 })

scene('the sign-in page takes the focus and says where a token is', async (w) => {
  w.stub.token = 'secret-token-1'
  await w.open()
  await until(() => w.page.evaluate(() => document.activeElement?.getAttribute('type') === 'password'))
  await w.page.getByText('LOONGCLAW_TOKENS').waitFor()
  assert.deepEqual(await axe(w.page), [])
}, { expected: /401/ })
