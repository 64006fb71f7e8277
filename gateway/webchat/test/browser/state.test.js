// State stays where it belongs: edits, drafts, what is unsent, what an answer ended as.

import assert from 'node:assert/strict'
import { assertWithin } from '../speed.js'
import { axe, conversation, focused, paste, scene, send, shot, until } from './world.js'

/** @param {import('./world.js').World} w @param {string} id @param {string[]} turns */
function old(w, id, ...turns) {
  const c = w.stub.conversation(id)
  turns.forEach((text, i) => {
    c.start({ message: text }, `${id}${i}`, () => {})
    c.say(`Answer to ${text}.`)
  })
  return c
}
/** @param {import('./world.js').World} w */
const box = (w) => w.page.getByRole('textbox', { name: 'Message' })
/** @param {import('./world.js').World} w */
const field = (w) => w.page.getByRole('textbox', { name: 'Edit' })
/** @param {import('./world.js').World} w @param {string} text */
const editOf = (w, text) => w.page.locator('.mine', { hasText: text }).getByRole('button', { name: 'Edit', exact: true })
/** @param {any} c */
const said = (c) => c.events.filter((/** @type {any} */ e) => e.type === 'message').map((/** @type {any} */ e) => [e.content, e.parentId ?? ''])

scene('an edit stays in its conversation: what is written elsewhere is a message of its own', async (w) => {
  const a = old(w, 'a', 'first', 'second')
  const b = old(w, 'b', 'other')
  await w.open('/s/a')
  await w.page.getByText('Answer to second.').waitFor()
  await editOf(w, 'first').click()
  await field(w).fill('first, but better')
  await w.page.getByRole('link', { name: 'other' }).click()
  await w.page.getByText('Answer to other.').waitFor()
  assert.equal(await field(w).count(), 0)
  await send(w.page, 'a plain message')
  await until(() => b.run === 'r2')
  assert.deepEqual(said(b).at(-1), ['a plain message', 'a-r1'])
  await w.page.getByText('Answer to other.').waitFor() // its history is still there
  await w.page.getByRole('button', { name: 'New chat' }).click()
  await send(w.page, 'in a new one')
  await until(() => w.stub.conversations.size === 3)
  assert.deepEqual(said([...w.stub.conversations.values()].at(-1)), [['in a new one', '']])
  await w.page.getByRole('link', { name: 'first' }).click()
  assert.equal(await field(w).inputValue(), 'first, but better')
  await w.page.reload()
  assert.equal(await field(w).inputValue(), 'first, but better')
  await field(w).press('Enter')
  await until(() => a.run === 'r3')
  assert.deepEqual(said(a).at(-1), ['first, but better', ''])
  assert.equal(await field(w).count(), 0)
  await w.page.reload()
  await w.page.getByText('first, but better').waitFor()
  assert.equal(await field(w).count(), 0)
})

scene('an edit leaves the draft alone, sent or cancelled; drafts stay with their conversations, over a reload', async (w) => {
  const a = old(w, 'a', 'first')
  old(w, 'b', 'other')
  await w.open('/s/a')
  await w.page.getByText('Answer to first.').waitFor()
  await box(w).fill('half a thought')
  await editOf(w, 'first').click()
  assert.equal(await box(w).inputValue(), 'half a thought')
  await field(w).fill('changed')
  await w.page.getByRole('button', { name: 'Cancel' }).click()
  assert.equal(await box(w).inputValue(), 'half a thought')
  await until(async () => (await focused(w.page)) === 'Edit')
  await editOf(w, 'first').click()
  assert.equal(await field(w).inputValue(), 'first')
  await field(w).fill('first again')
  await field(w).press('Enter')
  await until(() => a.run === 'r2')
  assert.equal(await box(w).inputValue(), 'half a thought')
  await w.page.getByRole('link', { name: 'other' }).click()
  await until(async () => (await box(w).inputValue()) === '')
  await box(w).fill('for the other')
  await w.page.getByRole('link', { name: 'first' }).click()
  await until(async () => (await box(w).inputValue()) === 'half a thought')
  await w.page.reload()
  await until(async () => (await box(w).inputValue()) === 'half a thought')
})

scene('Esc does one thing, the nearest: in the search it empties it, in an edit it ends it, at a question nothing', async (w) => {
  await w.open()
  await send(w.page, 'go')
  const c = await conversation(w)
  c.chunk('on and on')
  await w.page.getByText('on and on').waitFor()
  await w.page.keyboard.press('Alt+k')
  await until(async () => (await focused(w.page)) === 'Search conversations')
  await w.page.keyboard.type('woods')
  await w.page.keyboard.press('Escape')
  assert.equal(await w.page.getByRole('searchbox').inputValue(), '')
  await w.page.keyboard.press('Escape') // to the composer
  await until(async () => (await focused(w.page)) === 'Message')
  await editOf(w, 'go').click()
  await w.page.keyboard.press('Escape')
  assert.equal(await field(w).count(), 0)
  await w.page.getByLabel('Menu').click()
  await w.page.keyboard.press('Escape')
  assert.equal(await w.page.locator('.menu[open]').count(), 0)
  await w.page.keyboard.press('?')
  await w.page.keyboard.press('Escape')
  await until(() => w.page.getByRole('dialog').isHidden())
  await w.page.waitForTimeout(100)
  assert.equal(c.cancels, 0)
  const call = { runId: c.run, callId: 'c1', name: 'write_file', arguments: { path: 'a' } }
  c.emit('tool_call', call)
  c.emit('approval_required', { ...call, approvalId: 'p1', scope: 'write_file a' })
  await w.page.getByRole('button', { name: 'Allow once' }).focus()
  await w.page.keyboard.press('Escape')
  await box(w).focus()
  await w.page.keyboard.press('Escape')
  await w.page.waitForTimeout(100)
  assert.equal(c.cancels, 0)
  await w.page.getByRole('button', { name: 'Allow once' }).click()
  await w.page.locator('.tool-running').waitFor()
  await w.page.keyboard.press('Escape')
  await until(() => c.cancels === 1)
})

const endings = /** @type {[string, string, string, string[]][]} */ ([
  ['length', 'half of it', 'it reached the limit on its length', ['Continue', 'Try again']],
  ['content_filter', 'half of', 'cut off by the provider’s content filter', ['Try again']],
  ['refusal', '', 'The model declined to answer.', ['Try again']],
  ['empty', '', 'The answer is empty.', ['Try again']],
  ['stop', '  \n', 'The answer is empty.', ['Try again']],
])
for (const [finish, text, words, buttons] of endings) {
  scene(`an answer that ended as ${finish} with ${JSON.stringify(text)} says so and offers what helps`, async (w) => {
    await w.open()
    await send(w.page, 'ask')
    const c = await conversation(w)
    c.complete(text, { finish })
    c.finish()
    await w.page.getByText(words).waitFor()
    assert.deepEqual(await w.page.locator('.ended button').allInnerTexts(), buttons)
    assert.deepEqual(await axe(w.page), [])
    await w.page.locator('.ended button').first().click()
    await until(() => c.run === 'r2')
    if (finish === 'length') assert.deepEqual(said(c).at(-1), ['Continue.', 'a-r1'])
    c.complete('Whole.', { finish: 'stop' })
    c.finish()
    await w.page.getByText('Whole.').waitFor()
    assert.equal(await w.page.locator('.ended button').count(), 0)
  })
}

scene('a run that ends without a word, and one that was stopped, say so', async (w) => {
  await w.open()
  await send(w.page, 'ask')
  const c = await conversation(w)
  c.finish()
  await w.page.getByText('The answer is empty.').waitFor()
  await send(w.page, 'again')
  await until(() => c.run === 'r2')
  c.chunk('half')
  await w.page.getByText('half').waitFor()
  await w.page.getByRole('button', { name: 'Stop', exact: true }).click()
  await w.page.getByText('Stopped.').waitFor()
  await w.page.getByRole('button', { name: 'Continue' }).click()
  await until(() => c.run === 'r3')
})

scene('a conversation that is opened again never shows the welcome', async (w) => {
  const c = old(w, 'a', 'first')
  await w.page.addInitScript(() => {
    /** @type {any} */ (window).welcomes = 0
    new MutationObserver(() => { if (document.querySelector('.welcome')) /** @type {any} */ (window).welcomes++ }).observe(document, { childList: true, subtree: true })
  })
  // The stream opens, and its first event comes later.
  const stream = c.stream.bind(c)
  c.stream = (after, res) => {
    res.writeHead(200, { 'Content-Type': 'text/event-stream' })
    res.write(': hello\n\n')
    const write = res.writeHead
    res.writeHead = /** @type {any} */ (() => res)
    setTimeout(() => { stream(after, res); res.writeHead = write }, 400)
  }
  await w.open('/s/a')
  await w.page.getByText('Answer to first.').waitFor()
  assert.equal(await w.page.evaluate(() => /** @type {any} */ (window).welcomes), 0)
  await w.page.getByRole('button', { name: 'New chat' }).click()
  await w.page.getByText('guardian of the forest').waitFor()
  await w.page.goBack()
  await w.page.getByText('Answer to first.').waitFor()
})

scene('blocked storage: the page works, and what is written survives as long as it is open', async (w) => {
  const seen = /** @type {string[]} */ ([])
  w.page.on('dialog', (d) => { seen.push(d.type()); d.accept() })
  await w.page.addInitScript(() => {
    for (const name of ['localStorage', 'sessionStorage']) {
      Object.defineProperty(window, name, { get() { throw new DOMException('The operation is insecure.', 'SecurityError') } })
    }
    window.BroadcastChannel = /** @type {any} */ (function () { throw new DOMException('insecure', 'SecurityError') })
  })
  old(w, 'b', 'other')
  await w.open()
  await w.page.getByText('guardian of the forest').waitFor()
  await box(w).fill('a draft')
  await w.page.getByText('This browser does not keep this text').waitFor()
  await w.page.getByRole('link', { name: 'other' }).click()
  await until(async () => (await box(w).inputValue()) === '')
  await w.page.getByRole('button', { name: 'New chat' }).click()
  assert.equal(await box(w).inputValue(), 'a draft')
  await w.page.keyboard.press('Control+b')
  await send(w.page, 'sent all the same')
  const c = [...w.stub.conversations.values()].at(-1)
  await until(() => [...w.stub.conversations.values()].at(-1)?.events.some((e) => e.content === 'sent all the same'))
  assert.ok(c)
  await until(async () => !(await w.page.getByText('This browser does not keep').count()))
})

scene('full storage: a long message is neither lost nor stuck', async (w) => {
  await w.page.addInitScript(() => {
    const set = Storage.prototype.setItem
    Storage.prototype.setItem = function (name, value) {
      if (value.length > 1000) throw new DOMException('full', 'QuotaExceededError')
      return set.call(this, name, value)
    }
  })
  let down = true
  w.stub.interfere = (req) => (down && req.url?.endsWith('/runs') ? [503, { error: 'away', code: 'unavailable' }, { 'Retry-After': '600' }] : undefined)
  await w.open()
  const text = 'a long message '.repeat(200)
  await send(w.page, text)
  await w.page.locator('.bubble', { hasText: 'a long message' }).waitFor()
  await w.page.getByText('This browser does not keep').first().waitFor()
  await send(w.page, 'a short one')
  await w.page.locator('.bubble', { hasText: 'a short one' }).waitFor()
  down = false
  await w.page.getByRole('button', { name: 'Try now' }).click()
  const c = await conversation(w)
  await until(() => c.events.filter((e) => e.type === 'message').length === 2)
  assert.deepEqual(said(c).map((/** @type {string[]} */ m) => m[0]), [text, 'a short one'])
}, { expected: /503/ })

scene('a message that is too long stays in the composer and says how long it is', async (w) => {
  await w.open()
  await paste(w.page, '字'.repeat(75_000))
  await w.page.getByText('220 KiB of at most 256 KiB').waitFor()
  await paste(w.page, 'y'.repeat(300_000))
  await w.page.getByText('too long to send').waitFor()
  await box(w).press('Enter')
  await w.page.waitForTimeout(100)
  assert.equal((await box(w).inputValue()).length, 300_000)
  assert.equal(w.stub.requests.filter((r) => r.startsWith('POST')).length, 0)
  // A key costs no more than with a short text.
  await paste(w.page, `${'some words here and there '.repeat(4)}\n`.repeat(1960))
  const cost = await box(w).evaluate((el) => {
    el.getBoundingClientRect()
    const from = performance.now()
    for (let i = 0; i < 5; i++) {
      document.execCommand('insertText', false, 'a')
      el.getBoundingClientRect()
    }
    return (performance.now() - from) / 5
  })
  assertWithin(cost, 100, 'a key')
})

scene('what the server refused goes back in front of the draft, an edit back into its place', async (w) => {
  const c = old(w, 'a', 'first')
  w.stub.interfere = (req) => (req.url?.endsWith('/runs') ? [413, { error: 'too large', code: 'too_large', hint: 'shorter' }] : undefined)
  await w.open('/s/a')
  await w.page.getByText('Answer to first.').waitFor()
  await send(w.page, 'refused')
  await w.page.getByText('Not sent.').waitFor()
  await box(w).fill('the next')
  await w.page.getByRole('button', { name: 'Back to the composer' }).click()
  assert.equal(await box(w).inputValue(), 'refused\n\nthe next')
  await editOf(w, 'first').click()
  await field(w).fill('first, changed')
  await field(w).press('Enter')
  await w.page.getByText('Not sent.').waitFor()
  await w.page.getByRole('button', { name: 'Back to the composer' }).click()
  assert.equal(await field(w).inputValue(), 'first, changed')
  assert.equal(await box(w).inputValue(), 'refused\n\nthe next')
  w.stub.interfere = null
  await field(w).press('Enter')
  await until(() => c.run === 'r2')
  assert.deepEqual(said(c).at(-1), ['first, changed', ''])
}, { expected: /413/ })

scene('a planned restart is one calm line, and nothing to press', async (w) => {
  await w.open()
  await send(w.page, 'think')
  const c = await conversation(w)
  c.chunk('half a thou')
  await w.page.getByText('half a thou').waitFor()
  let away = true
  w.stub.interfere = (req) => (away && req.url?.startsWith('/api/') ? [503, { error: 'this gateway is about to stop', code: 'draining', hint: 'connect again', requestId: 'q-1' }] : undefined)
  c.tell({ type: 'error', error: 'this gateway is about to stop', code: 'draining', hint: 'connect again', requestId: 'q-1' })
  c.cut()
  await w.page.getByText('The server is restarting. It goes on by itself.').first().waitFor()
  await send(w.page, 'written meanwhile')
  await w.page.locator('.hold', { hasText: 'The server is restarting.' }).waitFor()
  await w.page.waitForTimeout(1500)
  assert.equal(await w.page.locator('.fault').count(), 0)
  assert.equal(await w.page.getByText('Connection lost').count(), 0)
  assert.equal(await w.page.locator('.hold button').count(), 0)
  await shot(w.page, 'restart')
  away = false
  c.complete('half a thought, and the rest')
  c.finish()
  await w.page.getByText('and the rest').waitFor()
  await until(() => c.events.some((e) => e.content === 'written meanwhile'))
}, { expected: /503|ERR_|Failed to load/ })

scene('a double click on Answer again asks once; a run that failed offers one way to try again', async (w) => {
  const c = old(w, 'a', 'first')
  await w.open('/s/a')
  await w.page.getByRole('button', { name: 'Answer again' }).evaluate((el) => { for (let i = 0; i < 3; i++) /** @type {HTMLElement} */ (el).click() })
  await until(() => c.run === 'r2')
  await w.page.waitForTimeout(200)
  assert.equal(w.stub.requests.filter((r) => r.endsWith('/regenerate')).length, 1)
  c.finish('failed', { error: { error: 'the provider broke off', code: 'provider_failed' } })
  await w.page.getByRole('button', { name: 'Try again' }).waitFor()
  assert.equal(await w.page.getByRole('button', { name: 'Answer again' }).count(), 0)
})

scene('at the last version the arrow looks as if it leads nowhere, and leads nowhere', async (w) => {
  const c = old(w, 'a', 'first')
  c.regenerate('m1')
  c.say('Second answer.')
  await w.open('/s/a')
  await w.page.getByText('Second answer.').waitFor()
  const next = w.page.getByRole('button', { name: 'Next version' })
  await w.page.locator('.turn').hover()
  assert.ok(Number(await next.evaluate((el) => getComputedStyle(el).opacity)) < 0.5)
  await next.click({ force: true })
  await w.page.getByText('Second answer.').waitFor()
})
