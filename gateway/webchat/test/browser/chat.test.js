import assert from 'node:assert/strict'
import { conversation, scene, send, shot, until } from './world.js'

scene('own bubble at once, the answer streams, a reload in mid-answer loses nothing, a second tab is live', async (w) => {
  await w.open()
  await w.page.getByText('guardian of the forest').waitFor()
  await shot(w.page, 'welcome-light')
  await send(w.page, 'tell me')
  await w.page.locator('.bubble', { hasText: 'tell me' }).waitFor()
  const c = await conversation(w)
  assert.equal(new URL(w.page.url()).pathname, `/s/${c.id}`)
  c.chunk('Once **upon** a ')
  await w.page.getByText('Once upon a').waitFor()
  await w.page.reload()
  await w.page.getByText('Once upon a').waitFor()
  const second = await w.tab()
  await second.goto(w.page.url())
  await second.getByText('Once upon a').waitFor()
  c.chunk('time')
  await w.page.getByText('Once upon a time').waitFor()
  await second.getByText('Once upon a time').waitFor()
  c.say('Once **upon** a time.')
  await second.getByText('Once upon a time.').waitFor()
  await w.page.getByText('Once upon a time.').waitFor()
  assert.equal(await w.page.locator('.bubble').count(), 1)
  assert.equal(await w.page.locator('.theirs').count(), 1)
  assert.equal(await w.page.title(), 'tell me · LoongClaw')
})

scene('streams that are cut anywhere are taken up from the cursor', async (w) => {
  await w.open()
  await send(w.page, 'count')
  const c = await conversation(w)
  let text = ''
  for (let i = 1; i <= 6; i++) {
    c.chunk(`${i} `)
    text += `${i} `
    await w.page.locator('.prose', { hasText: text.trim() }).waitFor()
    c.cut('id: x\ndata: {"type":"message_ch')
  }
  c.say(text)
  await w.page.getByRole('button', { name: 'Answer again' }).waitFor()
  assert.equal((await w.page.locator('.prose').innerText()).trim(), text.trim())
  assert.ok(w.stub.requests.filter((r) => r.endsWith('/events')).length >= 6)
}, { expected: /ERR_|Failed to load/ })

scene('a message whose POST is lost is sent again with the same key: never lost, never doubled', async (w) => {
  /** @type {string[]} */
  const keys = []
  w.stub.interfere = (req, body) => {
    if (!req.url?.endsWith('/runs')) return undefined
    keys.push(String(req.headers['idempotency-key']))
    if (keys.length === 1) return 'cut' // never arrived
    if (keys.length === 2) { // arrived, but the answer is lost
      w.stub.conversation(decodeURIComponent(req.url.split('/')[3])).start(body, keys[1], () => {})
      return 'cut'
    }
    return undefined
  }
  await w.open()
  await send(w.page, 'do not lose me')
  await w.page.getByText('sending…').waitFor()
  await w.page.reload() // the outbox outlives the page
  const c = await conversation(w)
  await until(() => keys.length >= 3)
  c.say('I have it.')
  await w.page.getByText('I have it.').waitFor()
  assert.equal(new Set(keys).size, 1)
  assert.equal(await w.page.locator('.bubble').count(), 1)
  assert.equal(c.events.filter((e) => e.type === 'message').length, 1)
  assert.equal(await w.page.evaluate(() => localStorage.getItem('loongclaw.outbox')), '[]')
}, { expected: /ERR_|Failed to load/ })

scene('written while offline: kept, shown, sent when the network is back', async (w) => {
  await w.open()
  await w.page.getByText('guardian of the forest').waitFor()
  await w.page.context().setOffline(true)
  await w.page.getByText('You are offline').first().waitFor()
  await send(w.page, 'from the tunnel')
  await w.page.locator('.bubble', { hasText: 'from the tunnel' }).waitFor()
  await w.page.getByText('kept here; sent when you are online again').waitFor()
  assert.equal(await w.page.getByText('sending…').count(), 0)
  await shot(w.page, 'offline')
  await w.page.context().setOffline(false)
  const c = await conversation(w)
  c.say('Back in the light.')
  await w.page.getByText('Back in the light.').waitFor()
  assert.equal(c.events.filter((e) => e.type === 'message').length, 1)
  assert.equal(await w.page.locator('.bubble').count(), 1)
}, { expected: /ERR_|Failed to load/ })

scene('a restarted run drops its half answer; a cleared session starts anew', async (w) => {
  await w.open()
  await send(w.page, 'think')
  const c = await conversation(w)
  c.chunk('half a thou')
  await w.page.getByText('half a thou').waitFor()
  c.emit('run_started', { runId: c.run, restarted: true })
  await until(async () => (await w.page.getByText('half a thou').count()) === 0)
  c.chunk('A whole thought.')
  c.say('A whole thought.')
  await w.page.getByText('A whole thought.').waitFor()
  c.clear() // from another device
  await w.page.getByText('guardian of the forest').waitFor()
})

scene('the reader who scrolled up is left in peace, and can jump to the end', async (w) => {
  await w.open()
  await send(w.page, 'long')
  const c = await conversation(w)
  const line = (/** @type {number} */ n) => Array.from({ length: 60 }, (_, i) => `line ${n}-${i}`).join('\n\n') + '\n\n'
  const top = () => w.page.evaluate(() => /** @type {Element} */ (document.querySelector('.log')).scrollTop)
  c.chunk(line(1))
  await until(async () => (await top()) > 500)
  await w.page.locator('.log').hover()
  await w.page.mouse.wheel(0, -5000)
  await w.page.getByRole('button', { name: 'To the newest message' }).waitFor()
  c.chunk(line(2))
  await w.page.getByText('line 2-59').waitFor()
  assert.equal(await top(), 0)
  await w.page.getByRole('button', { name: 'To the newest message' }).click()
  await until(async () => (await top()) > 2000)
})

scene('a refused message stays, says why, and can go back to the composer', async (w) => {
  w.stub.interfere = (req) => (req.url?.endsWith('/runs') ? [413, { error: 'the message is longer than 256 KiB', code: 'too_large', hint: 'send it in parts', requestId: 'q-413' }] : undefined)
  await w.open()
  await send(w.page, 'too long')
  await w.page.getByText('send it in parts').waitFor()
  await w.page.getByText('Request q-413').waitFor()
  await shot(w.page, 'refused')
  await w.page.getByRole('button', { name: 'Back to the composer' }).click()
  assert.equal(await w.page.getByRole('textbox', { name: 'Message' }).inputValue(), 'too long')
}, { expected: /413|404/ })

scene('Stop and Esc cancel; the partial text stays', async (w) => {
  await w.open()
  await send(w.page, 'long story')
  const c = await conversation(w)
  c.chunk('It was a dark')
  await w.page.getByText('It was a dark').waitFor()
  await w.page.getByRole('button', { name: 'Stop', exact: true }).click()
  await w.page.getByText('Stopped.').waitFor()
  assert.equal(c.cancels, 1)
  assert.equal(await w.page.getByText('It was a dark').count(), 1)
  await send(w.page, 'another')
  await until(() => c.run === 'r2')
  c.chunk('again')
  await w.page.getByText('again', { exact: true }).waitFor()
  await w.page.keyboard.press('Escape')
  await until(() => c.cancels === 2)
})

scene('a failed run says what happened, what to do and which request', async (w) => {
  await w.open()
  await send(w.page, 'hi')
  const c = await conversation(w)
  c.finish('failed', { error: { error: 'the provider broke off', code: 'provider_failed', hint: 'try again in a minute', requestId: 'q-77' } })
  await w.page.getByText('the provider broke off').waitFor()
  await w.page.getByText('try again in a minute').waitFor()
  await w.page.getByText('Request q-77').waitFor()
  await w.page.getByRole('button', { name: 'Try again' }).click()
  await until(() => c.run === 'r2')
  c.say('Now it works.')
  await w.page.getByText('Now it works.').waitFor()
  await w.page.getByRole('group', { name: 'Version 2 of 2' }).waitFor()
})

scene('regenerate and edit make branches; the picker shows both and the server remembers', async (w) => {
  await w.open()
  await send(w.page, 'name a tree')
  const c = await conversation(w)
  c.say('Oak.')
  await w.page.getByText('Oak.').waitFor()
  await w.page.getByRole('button', { name: 'Answer again' }).click()
  await until(() => c.run === 'r2')
  c.say('Birch.')
  await w.page.getByText('Birch.').waitFor()
  assert.equal(await w.page.getByText('Oak.').count(), 0)
  await w.page.getByRole('button', { name: 'Previous version' }).click()
  await w.page.getByText('Oak.').waitFor()
  await until(() => c.head === 'a-r1')
  await w.page.reload()
  await w.page.getByText('Oak.').waitFor()
  await w.page.locator('.mine').hover()
  await w.page.getByRole('button', { name: 'Edit' }).click()
  await w.page.getByRole('textbox', { name: 'Edit' }).fill('name a flower')
  await w.page.keyboard.press('Enter')
  await until(() => c.run === 'r3')
  c.say('Rose.')
  await w.page.getByText('Rose.').waitFor()
  assert.equal(await w.page.getByText('name a tree', { exact: true }).locator('visible=true').and(w.page.locator('.bubble')).count(), 0)
  await shot(w.page, 'branches')
  await w.page.getByRole('group', { name: 'Version 2 of 2' }).getByRole('button', { name: 'Previous version' }).click()
  await w.page.locator('.bubble', { hasText: 'name a tree' }).waitFor()
})
