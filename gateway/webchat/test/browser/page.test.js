import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { axe, conversation, scene, send, shot, until } from './world.js'

const hostile = [
  '<img src=x onerror="window.hacked=1">', '<script>window.hacked=2</script>', '<svg onload="window.hacked=3"></svg>',
  '[click](javascript:window.hacked=4)', '[data](data:text/html,<script>window.hacked=5</script>)', '![x](http://127.0.0.1:9/pixel.png)',
  '<iframe srcdoc="<script>parent.hacked=6</script>"></iframe>', '<a href="javascript:hacked=7" style="position:fixed;inset:0">x</a>',
  '```js" onmouseover="window.hacked=8\nlet x = "<img src=y onerror=hacked=9>"\n```', '![y](x" onerror="window.hacked=10)', '<style>body{display:none}</style>',
  '<form action="http://127.0.0.1:9/"><input name=a></form>', '| a |\n|---|\n| <img src=x onerror=hacked=11> |', '[login](https://example.org/#login=evil)',
].join('\n\n')

scene('defect 13: hostile text of a model, a tool or a title is text and nothing else', async (w) => {
  await w.open()
  await send(w.page, '<b onclick="hacked=0">me</b>')
  const c = await conversation(w)
  c.emit('session_updated', { title: (c.title = '<img src=x onerror="hacked=12">') })
  c.emit('tool_call', { runId: c.run, callId: 'c', name: '<i>tool</i>', arguments: { a: '<img src=x onerror=hacked=13>' } })
  c.emit('tool_result', { runId: c.run, callId: 'c', name: '<i>tool</i>', status: 'ok', output: '<script>hacked=14</script>' })
  for (const line of hostile.split('\n')) c.chunk(line + '\n')
  c.complete(hostile + '\n')
  c.finish('failed', { error: { error: '<img src=x onerror=hacked=15>', code: 'internal', hint: '<b>x</b>', requestId: '<i>' } })
  await w.page.getByText('The answer failed.').waitFor()
  await w.page.locator('summary', { hasText: '<i>tool</i>' }).click()
  for (const link of await w.page.locator('.prose a').all()) await link.hover()
  assert.equal(await w.page.evaluate(() => /** @type {any} */ (window).hacked), undefined)
  assert.equal(await w.page.locator('.prose :is(img, script, svg, iframe, style, form, input, object)').count(), 0)
  const hrefs = await w.page.locator('.prose a').evaluateAll((all) => all.map((a) => a.getAttribute('href')))
  assert.deepEqual(hrefs, ['http://127.0.0.1:9/pixel.png'])
  assert.ok(await w.page.getByText('<img src=x onerror="window.hacked=1">').count())
  await shot(w.page, 'hostile')
})

scene('the browser itself refuses HTML that did not go through the sanitiser', async (w) => {
  await w.open()
  await w.page.getByText('guardian of the forest').waitFor()
  const result = await w.page.evaluate(() => {
    try {
      document.body.innerHTML = '<b>x</b>'
      return 'accepted'
    } catch (err) {
      return String(err)
    }
  })
  assert.match(result, /TrustedHTML/)
}, { expected: /TrustedHTML|Trusted Type/ })

const sample = '## 森林 · The forest\n\nA short list:\n\n- **oak**, slow\n- birch, `quick`\n- [moss](https://example.org/moss)\n\n> Quiet.\n\n| tree | height |\n|:--|--:|\n| oak | 40 m |\n| birch | 25 m |\n\n```go\n// greet says hello.\nfunc greet(name string) string {\n\treturn "你好, " + name\n}\n```\n\nThat is all. 就这些。'

scene('Markdown, code with colours and a copy button, loaded only when there is code', async (w) => {
  await w.page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
  await w.open()
  await send(w.page, 'show me everything')
  const c = await conversation(w)
  c.chunk('No code yet.\n\n')
  await w.page.getByText('No code yet.').waitFor()
  assert.equal(w.stub.requests.filter((r) => r.includes('languages')).length, 0)
  for (let i = 0; i < sample.length; i += 7) c.chunk(sample.slice(i, i + 7))
  c.complete('No code yet.\n\n' + sample)
  c.finish()
  await w.page.locator('.hljs-keyword').first().waitFor()
  await w.page.locator('.prose table').waitFor()
  const link = w.page.getByRole('link', { name: 'moss' })
  assert.deepEqual([await link.getAttribute('target'), await link.getAttribute('rel')], ['_blank', 'noopener noreferrer nofollow'])
  await w.page.locator('[data-copy]').click()
  await w.page.getByText('Copied').waitFor()
  assert.match(await w.page.evaluate(() => navigator.clipboard.readText()), /^\/\/ greet says hello\.\nfunc greet/)
  await shot(w.page, 'prose-light')
  await w.page.emulateMedia({ colorScheme: 'dark' })
  await shot(w.page, 'prose-dark')
  await w.page.setViewportSize({ width: 360, height: 740 })
  await shot(w.page, 'prose-360')
  await fits(w.page)
})

scene('finished blocks of a growing answer are left alone', async (w) => {
  await w.open()
  await send(w.page, 'grow')
  const c = await conversation(w)
  c.chunk('First paragraph.\n\nSecond')
  await w.page.getByText('Second').waitFor()
  await w.page.evaluate(() => { const p = document.querySelector('.prose p'); if (p) /** @type {any} */ (p).mark = 1 })
  c.chunk(' grows.\n\nThird **bo')
  await w.page.locator('strong', { hasText: 'bo' }).waitFor()
  assert.equal(await w.page.evaluate(() => /** @type {any} */ (document.querySelector('.prose p')).mark), 1)
})

scene('360 px in Chinese and dark: nothing scrolls sideways, the list opens and closes', async (w) => {
  await w.open()
  await w.page.getByText('你好！我是熊大，森林守护者 🐻💪').waitFor()
  await shot(w.page, 'welcome-360-dark-zh')
  assert.equal(await w.page.evaluate(() => document.documentElement.lang), 'zh-CN')
  assert.equal(await w.page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor), 'rgb(19, 26, 22)')
  await send(w.page, '一个很长的词' + 'x'.repeat(300))
  const c = await conversation(w)
  const call = { runId: c.run, callId: 'c1', name: 'exec_shell', arguments: { command: 'make ' + 'y'.repeat(200) } }
  c.emit('tool_call', call)
  c.emit('approval_required', { ...call, approvalId: 'p1', scope: 'exec_shell:' + 'z'.repeat(120), expiresAt: '2099-01-01T00:00:00.000Z' })
  await w.page.getByRole('button', { name: '7 天内允许' }).waitFor()
  await shot(w.page, 'approval-360-dark-zh')
  await fits(w.page)
  await w.page.getByRole('button', { name: '显示对话列表' }).click()
  await w.page.getByRole('button', { name: '新对话' }).waitFor()
  await shot(w.page, 'list-360-dark-zh')
  await w.page.keyboard.press('Escape')
  await until(() => w.page.getByRole('button', { name: '新对话' }).isHidden())
  assert.equal(c.cancels, 0)
}, { locale: 'zh-CN', width: 360, height: 740, dark: true })

scene('sessions: search, rename, delete with undo, one address each', async (w) => {
  for (const title of ['walk in the woods', 'black tea', 'bear facts']) {
    const c = w.stub.conversation(title.replaceAll(' ', '-'))
    c.start({ message: title }, title, () => {})
    c.say(`About ${title}.`)
  }
  await w.open('/s/black-tea')
  await w.page.getByText('About black tea.').waitFor()
  await w.page.getByRole('link', { name: 'bear facts' }).click()
  await w.page.getByText('About bear facts.').waitFor()
  assert.equal(new URL(w.page.url()).pathname, '/s/bear-facts')
  await w.page.goBack()
  await w.page.getByText('About black tea.').waitFor()
  for (const c of w.stub.conversations.values()) await until(() => c.streams.size === 0)
  await w.page.keyboard.press('Alt+k')
  await w.page.getByRole('searchbox').fill('woods')
  await until(async () => (await w.page.locator('.list a').count()) === 1)
  await w.page.getByRole('searchbox').fill('')
  await until(async () => (await w.page.locator('.list a').count()) === 3)
  await w.page.locator('.list li', { hasText: 'black tea' }).hover()
  await w.page.locator('.list li', { hasText: 'black tea' }).getByRole('button', { name: 'Rename' }).click()
  await until(() => w.page.evaluate(() => document.activeElement?.className === 'naming'))
  await w.page.keyboard.type('green tea')
  await w.page.keyboard.press('Enter')
  await until(() => w.stub.conversation('black-tea').title === 'green tea')
  await w.page.locator('h1', { hasText: 'green tea' }).waitFor()
  const row = w.page.locator('.list li', { hasText: 'bear facts' })
  await row.hover()
  await row.getByRole('button', { name: 'Delete' }).click()
  await w.page.getByText('“bear facts” will be deleted.').waitFor()
  await shot(w.page, 'undo')
  await w.page.getByRole('button', { name: 'Undo' }).click()
  await row.waitFor()
  assert.ok(w.stub.conversations.has('bear-facts'))
  await row.hover()
  await row.getByRole('button', { name: 'Delete' }).click()
  await w.page.goto('about:blank') // leaving the page makes it so
  await until(() => !w.stub.conversations.has('bear-facts'))
})

scene('a login link works once, its code leaves the address at once, and signing out forgets the token', async (w) => {
  w.stub.token = 'secret-token-1'
  w.stub.codes.set('CODE1', 'secret-token-1')
  w.stub.offline = true
  await w.open('/#login=CODE1')
  await w.page.getByText('the built-in offline model answers').waitFor()
  assert.equal(w.page.url(), w.stub.url + '/')
  await w.page.reload()
  await w.page.getByText('guardian of the forest').waitFor()
  assert.equal(await w.page.evaluate(() => (JSON.stringify(localStorage) + document.cookie).includes('secret')), false, 'a script can read the token')
  await w.page.getByLabel('Menu').click()
  await shot(w.page, 'menu')
  await w.page.getByRole('button', { name: 'Sign out' }).click()
  await w.page.getByRole('heading', { name: 'Sign in' }).waitFor()
  assert.equal(await w.page.evaluate(() => JSON.stringify(localStorage).includes('secret')), false)
  await w.page.goto(w.stub.url + '/?again#login=CODE1')
  await w.page.getByText('This login link was used or has expired').waitFor()
  await shot(w.page, 'login')
  await w.page.getByLabel('Access token').fill('wrong')
  await w.page.getByRole('button', { name: 'Sign in' }).click()
  await w.page.getByText('This token is not accepted.').waitFor()
  await w.page.getByLabel('Access token').fill('secret-token-1')
  await w.page.getByRole('button', { name: 'Sign in' }).click()
  await w.page.getByText('guardian of the forest').waitFor()
  assert.equal(await w.page.evaluate(() => (JSON.stringify(localStorage) + document.cookie).includes('secret')), false, 'a script can read the token')
}, { expected: /401/ })

scene('a token that an earlier page kept goes into the cookie; where there can be none it stays', async (w) => {
  w.stub.token = 'secret-token-1'
  const stored = () => w.page.evaluate(() => localStorage.getItem('loongclaw.login') ?? '')
  const logins = () => w.stub.requests.filter((r) => r === 'POST /api/login').length
  await w.page.addInitScript(() => {
    if (!sessionStorage.getItem('seeded')) localStorage.setItem('loongclaw.login', '{"token":"secret-token-1","user":"alice","expiresAt":""}')
    sessionStorage.setItem('seeded', '1')
  })
  w.stub.cookies = false
  await w.open()
  // A page that is left before the answer has come asks anew, and may.
  await w.page.waitForFunction(() => (localStorage.getItem('loongclaw.login') ?? '').includes('"kept":true'))
  await w.page.reload()
  await w.page.getByText('guardian of the forest').waitFor()
  assert.match(await stored(), /secret-token-1/)
  assert.equal(logins(), 1, 'it was asked again and again')
  w.stub.cookies = true
  await w.page.evaluate(() => sessionStorage.removeItem('seeded'))
  await w.page.reload()
  await w.page.getByText('guardian of the forest').waitFor()
  assert.doesNotMatch(await stored(), /secret/)
  await w.page.reload()
  await w.page.getByText('guardian of the forest').waitFor()
})

scene('signing out while the server is away takes the cookie away as soon as it is back', async (w) => {
  w.stub.token = 'secret-token-1'
  w.stub.codes.set('CODE1', 'secret-token-1')
  await w.open('/#login=CODE1')
  await w.page.getByText('guardian of the forest').waitFor()
  w.stub.interfere = (req) => (req.url === '/api/logout' ? [503, { error: 'away', code: 'unavailable' }] : undefined)
  await w.page.getByLabel('Menu').click()
  await w.page.getByRole('button', { name: 'Sign out' }).click()
  await until(() => w.stub.requests.filter((r) => r === 'POST /api/logout').length >= 2) // the page's new start tries, too
  w.stub.interfere = null
  await w.page.reload()
  await w.page.getByRole('heading', { name: 'Sign in' }).waitFor()
}, { expected: /401|503/ })

scene('keys: Enter waits for the input method, Shift+Enter is a line, ? lists them', async (w) => {
  await w.open()
  const box = w.page.getByRole('textbox', { name: 'Message' })
  await box.fill('ni hao')
  await box.dispatchEvent('keydown', { key: 'Enter', isComposing: true, bubbles: true, cancelable: true })
  await box.dispatchEvent('keydown', { key: 'Enter', keyCode: 229, bubbles: true, cancelable: true })
  assert.equal(w.stub.requests.filter((r) => r.startsWith('POST')).length, 0)
  await w.page.keyboard.press('Shift+Enter')
  await w.page.keyboard.type('two')
  assert.equal(await box.inputValue(), 'ni hao\ntwo')
  await box.fill('')
  await box.blur()
  await w.page.keyboard.press('?')
  await w.page.getByRole('dialog').getByText('Stop the answer').waitFor()
  await shot(w.page, 'help')
  await w.page.keyboard.press('Escape')
  await until(() => w.page.getByRole('dialog').isHidden())
})

scene('清除历史 clears the server; 导出记忆 downloads Markdown', async (w) => {
  const c = w.stub.conversation('x')
  c.start({ message: 'old words' }, 'k', () => {})
  c.say('Old answer.')
  await w.open('/s/x')
  await w.page.getByText('Old answer.').waitFor()
  await w.page.getByLabel('菜单').click()
  const download = w.page.waitForEvent('download')
  await w.page.getByRole('button', { name: '导出记忆' }).click()
  const file = await download
  assert.match(file.suggestedFilename(), /^loongclaw-memory-.*\.md$/)
  assert.match(await readFile(await file.path(), 'utf8'), /^# 记忆导出/)
  await w.page.getByLabel('菜单').click()
  await w.page.getByRole('button', { name: '清除历史' }).click()
  await w.page.getByText('你好！我是熊大').waitFor()
  assert.ok(c.events.length > 0)
  await w.page.getByRole('button', { name: '撤销' }).click()
  await w.page.getByText('Old answer.').waitFor()
  await w.page.getByLabel('菜单').click()
  await w.page.getByRole('button', { name: '清除历史' }).click()
  await until(() => c.events.length === 0)
  await w.page.getByText('你好！我是熊大').waitFor()
  assert.equal(c.epoch, 1)
  await w.page.getByLabel('菜单').click()
  await w.page.getByRole('button', { name: 'English' }).click()
  await w.page.getByText('guardian of the forest').waitFor()
}, { locale: 'zh-CN' })

scene('axe finds nothing, in light and dark', async (w) => {
  await w.open()
  await send(w.page, 'show me everything')
  const c = await conversation(w)
  const call = { runId: c.run, callId: 'c1', name: 'exec_shell', arguments: { command: 'make' } }
  c.emit('tool_call', call)
  c.emit('tool_result', { runId: c.run, callId: 'c1', name: 'exec_shell', status: 'ok', output: 'ok' })
  c.emit('tool_call', { ...call, callId: 'c2' })
  c.emit('approval_required', { ...call, callId: 'c2', approvalId: 'p1', scope: 'exec_shell: make', expiresAt: '2099-01-01T00:00:00.000Z' })
  c.chunk(sample)
  await w.page.locator('.prose table').waitFor()
  await w.page.getByRole('link', { name: 'show me everything' }).waitFor()
  for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
    await w.page.emulateMedia({ colorScheme })
    assert.deepEqual(await axe(w.page), [])
  }
})

/**
 * Nothing scrolls sideways, once the list's slide at the change of width has ended.
 * @param {import('playwright-core').Page} page
 */
async function fits(page) {
  await page.waitForFunction(() => document.documentElement.scrollWidth <= innerWidth)
}
