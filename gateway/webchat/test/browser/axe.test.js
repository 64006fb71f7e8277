// What axe finds in every state of the page: light and dark, both languages,
// wide, on a phone and at 200 and 400 % (which is a window of half and a quarter).

import assert from 'node:assert/strict'
import { chips, choose, file, red, zip } from './pictures.js'
import { axe, conversation, scene, send, shot, until } from './world.js'

/** @typedef {import('./world.js').World} World */

const answer = '# Title\n\nWords, `code`, [a link](https://example.org/).\n\n- one\n- two\n\n> quoted\n\n> [!WARNING]\n> Careful.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```js\n' + 'let x = 1\n'.repeat(60) + '```\n\nA note.[^1]\n\n[^1]: The note.'

/** @param {World} w */
async function talk(w) {
  const c = w.stub.conversation('talk')
  c.start({ message: 'a long one\n'.repeat(30) }, 'k1', () => {})
  c.say(answer)
  c.regenerate('m1')
  c.complete(answer, { finish: 'length' })
  c.finish()
  await w.open('/s/talk')
  await w.page.locator('.ended').waitFor()
  return c
}
/** @param {World} w @param {number} status @param {any} body @param {Record<string, string>} [headers] */
const refuse = (w, status, body, headers) => {
  w.stub.interfere = (req) => (req.method === 'POST' && req.url?.endsWith('/runs') ? [status, body, headers] : undefined)
}

/** @param {World} w */
async function list(w) {
  await w.page.keyboard.press('Alt+k')
  await until(async () => (await w.page.evaluate(() => document.activeElement?.id)) === 'search')
  await w.page.locator('.list a').focus()
}

/** Brings the page into the state. @type {Record<string, (w: World) => Promise<unknown>>} */
const states = {
  'a new chat': async (w) => { w.stub.offline = true; await w.open(); await w.page.locator('.notice').waitFor() },
  'a conversation': talk,
  'an edit': async (w) => { await talk(w); await w.page.locator('[data-edit]').click(); await w.page.locator('.editor').waitFor() },
  'the menu': async (w) => { await talk(w); await w.page.locator('.menu summary').click() },
  'the keys': async (w) => { await talk(w); await w.page.locator('.log').focus(); await w.page.keyboard.press('?'); await w.page.locator('dialog[open]').waitFor() },
  'the list, without a match': async (w) => { await talk(w); await w.page.keyboard.press('Alt+k'); await w.page.locator('#search').fill('zzz'); await w.page.locator('.list .muted').waitFor() },
  'the list, folded': async (w) => { await talk(w); await w.page.keyboard.press('Control+b'); await w.page.waitForTimeout(300) },
  'a rename': async (w) => { await talk(w); await list(w); await w.page.keyboard.press('F2'); await w.page.locator('.naming').waitFor() },
  'a delete that can be taken back': async (w) => { await talk(w); await list(w); await w.page.keyboard.press('Delete'); await w.page.locator('.toast').waitFor() },
  'tools and a question': async (w) => {
    await w.open()
    await send(w.page, 'do it')
    const c = await conversation(w)
    for (const status of ['ok', 'error', 'denied', 'skipped']) {
      c.emit('tool_call', { runId: c.run, callId: status, name: 'exec_shell', arguments: { command: 'make' } })
      c.emit('tool_result', { runId: c.run, callId: status, name: 'exec_shell', status, output: 'words' })
    }
    const call = { runId: c.run, callId: 'asks', name: 'write_file', arguments: { path: 'a\u200b' } }
    c.emit('tool_call', call)
    c.emit('approval_required', { ...call, approvalId: 'p1', scope: 'write_file a\u200b\nb', expiresAt: '2099-01-01T00:00:00.000Z' })
    await w.page.locator('.scope').waitFor()
  },
  'steps, thoughts, a plan and a summary, all open': async (w) => {
    w.stub.files.set('a.md', 'old\nsame\n')
    const c = w.stub.conversation('steps')
    for (let i = 0; i < 8; i++) { c.start({ message: `question ${i}` }, `k${i}`, () => {}); c.say(`Answer ${i}.`) }
    c.summaries = [{ id: 's', parentId: 'a-r8', role: 'system', summary: true, content: 'What was said.' }]
    c.start({ message: 'go' }, 'k', () => {})
    c.emit('reasoning_chunk', { runId: c.run, messageId: 'x', content: 'One.\n\nTwo.', truncated: true })
    c.step('a', 'exec_shell', { command: 'make', timeout: 3 }, 'ok', '{"stdout":"out","stderr":"err","exitCode":1}')
    c.step('b', 'web_search', { query: 'bears' }, 'ok', '[{"title":"Bears","url":"https://example.com/b","snippet":"Big.","date":"2026-01-01"}]')
    c.step('c', 'web_fetch', { url: 'https://example.com/b' }, 'error', 'no such page')
    c.step('d', 'mcp__x__y', { a: [1] }, 'denied', 'not allowed')
    c.step('e', 'read_file', { path: 'a' }, 'ok', 'word\n'.repeat(100))
    c.emit('todo', { runId: c.run, items: [{ text: 'one', state: 'done' }, { text: 'two', state: 'doing' }, { text: 'three', state: 'open' }] })
    c.ask('f', 'write_file', { path: 'a.md', content: 'new\nsame\n' }, 'write_file a.md', { reason: 'foreign_text', sources: ['https://example.com/b'] })
    await w.open('/s/steps')
    await w.page.locator('.asks .added').waitFor()
    await w.page.locator('.summarised > summary').click()
    await w.page.locator('.thinks > summary').click()
    await w.page.locator('.steps > summary').click()
    for (const id of 'abcde') await w.page.locator(`#call-${id} summary`).first().click()
    await w.page.locator('#call-e .show-more').waitFor()
  },
  'an answer that grows': async (w) => { await w.open(); await send(w.page, 'go'); const c = await conversation(w); c.chunk('So far **it'); await w.page.locator('strong').waitFor() },
  'a run that failed': async (w) => { await w.open(); await send(w.page, 'go'); const c = await conversation(w); c.finish('failed', { error: { error: 'words', code: 'provider_failed', hint: 'hint', requestId: 'q-1' } }); await w.page.locator('.fault').waitFor() },
  'a limit': async (w) => { refuse(w, 429, { error: 'words', code: 'rate_limited', hint: 'hint' }, { 'Retry-After': '60' }); await w.open(); await send(w.page, 'one'); await send(w.page, 'two'); await w.page.locator('.hold').waitFor() },
  'a refused message': async (w) => { refuse(w, 413, { error: 'words', code: 'too_large', requestId: 'q-1' }); await w.open(); await send(w.page, 'one'); await w.page.locator('.fault').waitFor() },
  'a message that was kept while offline': async (w) => { await w.open(); await w.page.locator('.welcome').waitFor(); await w.page.context().setOffline(true); await send(w.page, 'one'); await w.page.locator('.pending').waitFor() },
  'files, sent and to be sent, and a model that does not see': async (w) => {
    w.stub.models = [{ id: 'a/one', name: 'one', default: true, context: 8000, vision: false }, { id: 'a/two', name: 'two', context: 0, vision: true }]
    const c = w.stub.conversation('files')
    c.start({ message: 'look', brought: { attachments: [{ path: 'a.pdf', name: 'a.pdf', mediaType: 'application/pdf', size: 9, sha256: '0', error: 'it is encrypted' }, { path: 'gone.png', name: 'gone.png', mediaType: 'image/png', size: 9, sha256: '0' }] } }, 'k', () => {})
    c.say('Yes.')
    w.stub.interfere = (req) => (req.method === 'PUT' && req.url?.endsWith('b.txt') ? [503, { error: 'away', code: 'unavailable' }, { 'Retry-After': '600' }] : undefined)
    await w.open('/s/files')
    await choose(w.page, file('a.png', red), file('b.txt', 'text'), file('c.zip', zip))
    await until(async () => (await chips(w.page).count()) === 3 && (await w.page.locator('.chip.bad').count()) >= 2) // in a low window the picture that is gone is out of sight
    await until(async () => (await w.page.locator('.composer canvas:visible').count()) === 1 && !(await w.page.locator('progress').count()))
    await w.page.locator('.warn').waitFor()
  },
  'a conversation that is not there': async (w) => { await w.open('/s/nothing'); await w.page.locator('.missing').waitFor() },
  'the list, in days and states': async (w) => {
    for (const [i, state] of ['idle', 'running', 'waiting', 'failed'].entries()) {
      const c = w.stub.conversation(`c${i}`)
      c.start({ message: `Conversation that is ${state}` }, 'k', () => {})
      if (state === 'idle') c.say('Yes.')
      if (state === 'failed') c.finish('failed', { error: { error: 'no', code: 'internal' } })
      if (state === 'waiting') c.emit('approval_required', { runId: c.run, callId: 'x', name: 'write_file', arguments: {}, approvalId: 'p1', scope: 's', expiresAt: '2099-01-01T00:00:00.000Z' })
      c.usedAt = new Date(Date.now() - i * i * 86_400_000 * 8).toISOString()
    }
    await w.open()
    await until(async () => (await w.page.locator('.glyph').count()) === 3)
    await w.page.keyboard.press('Alt+k')
    await until(async () => (await w.page.evaluate(() => document.activeElement?.id)) === 'search')
  },
  'earlier messages that could not be fetched': async (w) => {
    const c = w.stub.conversation('long')
    for (let i = 0; i < 40; i++) { c.start({ message: `question ${i}` }, `k${i}`, () => {}); c.say(`Answer ${i}.`) }
    w.stub.interfere = (req) => (req.url?.includes('before=') ? [503, { error: 'away', code: 'unavailable' }] : undefined)
    await w.open('/s/long')
    await until(async () => {
      await w.page.locator('.log').evaluate((el) => { el.scrollTop = 0 })
      return w.page.locator('.older [role="status"]:not(:empty)').count()
    })
    await until(async () => (await w.page.locator('.turn').count()) === 30)
  },
  'the sign-in': async (w) => { w.stub.token = 'secret-token-1'; await w.open('/#login=wrong'); await w.page.locator('.fault').waitFor() },
  'a server that is away': async (w) => { w.stub.interfere = (req) => (req.url?.startsWith('/api/') ? [503, { error: 'words', code: 'unavailable', requestId: 'q-1' }] : undefined); await w.open(); await w.page.locator('.fault').waitFor() },
}

const windows = [{ width: 1200, height: 800 }, { width: 640, height: 400 }, { width: 375, height: 740, touch: true }, { width: 320, height: 256 }]
for (const [name, reach] of Object.entries(states)) {
  for (const [i, window] of windows.entries()) {
    const locale = i % 2 ? 'zh-CN' : 'en-GB'
    scene(`axe finds nothing: ${name}, ${window.width} px`, async (w) => {
      await reach(w)
      for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
        await w.page.emulateMedia({ colorScheme })
        await w.page.waitForTimeout(120) // until every colour is the new one
        assert.deepEqual(await axe(w.page), [], colorScheme)
      }
      await until(() => w.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth))
      await shot(w.page, `${name.replaceAll(/\W+/g, '-')}-${window.width}`)
    }, { ...window, locale, expected: /40\d|41\d|429|503|ERR_|Failed/ })
  }
}
