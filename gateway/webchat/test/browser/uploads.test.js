// A message goes when its files are there: never without them, never twice, over reloads, limits and nights without a net.

import assert from 'node:assert/strict'
import { blue, brought, chips, choose, file, ready, red, uploaded, zip } from './pictures.js'
import { axe, conversation, focused, scene, send, shot, until } from './world.js'

scene('a message goes when its files are there, and not before; what is behind it waits', async (w) => {
  let open = () => {}
  w.stub.workspace.gate = new Promise((resolve) => { open = () => resolve(undefined) })
  await w.open()
  await choose(w.page, file('a.txt', 'alpha'))
  await chips(w.page).getByText('uploading').waitFor()
  await send(w.page, 'first')
  await w.page.getByText('Its files are on their way.').waitFor()
  await send(w.page, 'second')
  await w.page.getByText('waits behind the message before it').waitFor()
  await w.page.waitForTimeout(300)
  assert.equal(w.stub.conversations.size, 0)
  assert.deepEqual(await axe(w.page), [])
  await shot(w.page, 'files-waiting')
  open()
  const c = await conversation(w)
  await until(() => c.bodies.length === 2)
  assert.deepEqual(brought(c), [['a.txt'], []])
  assert.equal(w.stub.workspace.puts.length, 1)
}, { expected: /404/ })

scene('a reload in the middle of an upload: it goes on by itself, under the same path', async (w) => {
  w.stub.workspace.gate = new Promise(() => {})
  await w.open()
  await choose(w.page, file('a.txt', 'alpha'), file('b.txt', 'beta'))
  await until(() => w.stub.workspace.puts.length === 2)
  w.stub.workspace.gate = null
  await w.page.reload()
  await uploaded(w, 2)
  assert.equal(new Set(w.stub.workspace.puts).size, 2)
  await until(async () => (await chips(w.page).count()) === 2)
  await send(w.page, 'both')
  assert.deepEqual(brought(await conversation(w)), [['a.txt', 'b.txt']])
}, { expected: /ERR_|Failed/ })

scene('a reload after Send, before the files were there: the message goes once, with its files', async (w) => {
  w.stub.workspace.gate = new Promise(() => {})
  await w.open()
  await choose(w.page, file('a.png', red))
  await until(() => w.stub.workspace.puts.length === 1)
  await send(w.page, 'look')
  await w.page.getByText('Its files are on their way.').waitFor()
  w.stub.workspace.gate = null
  await w.page.reload()
  const c = await conversation(w)
  await until(() => c.bodies.length === 1)
  assert.deepEqual(brought(c), [['a.png']])
  assert.deepEqual(w.stub.workspace.files.values().next().value, red)
  await w.page.waitForTimeout(300)
  assert.equal(c.bodies.length, 1)
}, { expected: /ERR_|Failed|404/ })

scene('what was not uploaded and is not here any more is said as lost, by its name, and holds the message', async (w) => {
  w.stub.workspace.gate = new Promise(() => {})
  await w.open()
  await choose(w.page, file('gone.txt', 'alpha'))
  await until(() => w.stub.workspace.puts.length === 1)
  // A browser that is short of room throws away what pages kept.
  await w.page.evaluate(() => new Promise((resolve) => { indexedDB.deleteDatabase('loongclaw.files').onsuccess = resolve }))
  w.stub.workspace.gate = null
  await w.page.reload()
  await chips(w.page).getByText('gone.txt').waitFor()
  await chips(w.page).getByText('It was not uploaded before the page was closed.').waitFor()
  await w.page.getByRole('textbox', { name: 'Message' }).fill('words stay')
  assert.equal(await w.page.getByRole('button', { name: 'Send' }).isDisabled(), true)
  await w.page.keyboard.press('Enter')
  assert.equal(w.stub.conversations.size, 0)
  assert.deepEqual(await axe(w.page), [])
  await w.page.getByRole('button', { name: 'Remove gone.txt' }).click()
  await w.page.getByRole('textbox', { name: 'Message' }).press('Enter')
  const c = await conversation(w)
  assert.deepEqual(brought(c), [[]])
}, { expected: /ERR_|Failed/ })

scene('lost with a message that waits: said there, and the message comes back whole', async (w) => {
  w.stub.workspace.gate = new Promise(() => {})
  await w.open()
  await choose(w.page, file('gone.txt', 'alpha'), file('kept.txt', 'beta'))
  await until(() => w.stub.workspace.puts.length === 2)
  await send(w.page, 'look')
  await w.page.getByText('Its files are on their way.').waitFor()
  await w.page.evaluate(() => new Promise((resolve) => {
    indexedDB.open('loongclaw.files').onsuccess = (e) => {
      const table = /** @type {any} */ (e.target).result.transaction('bytes', 'readwrite').objectStore('bytes')
      table.getAllKeys().onsuccess = (/** @type {any} */ keys) => { table.delete(keys.target.result[0]).onsuccess = resolve }
    }
  }))
  w.stub.workspace.gate = null
  await w.page.reload()
  await w.page.getByText('is not with the server, and this browser does not have it any more').waitFor()
  assert.equal(w.stub.conversations.size, 0)
  assert.deepEqual(await axe(w.page), [])
  await w.page.getByRole('button', { name: 'Back to the composer' }).click()
  await until(async () => (await chips(w.page).count()) === 2)
  assert.equal(await w.page.getByRole('textbox', { name: 'Message' }).inputValue(), 'look')
  await w.page.locator('.composer .chip.bad [data-remove]').click()
  await w.page.getByRole('button', { name: 'Send' }).click()
  const c = await conversation(w)
  assert.equal(brought(c)[0].length, 1)
}, { expected: /ERR_|Failed|404/ })

scene('written offline with a file: kept over a reload, sent once when the network is back', async (w) => {
  await w.open()
  await choose(w.page, file('warm.txt', 'the part is here now'))
  await uploaded(w, 1)
  await w.page.context().setOffline(true)
  await choose(w.page, file('a.png', blue))
  await until(async () => (await chips(w.page).count()) === 2)
  await chips(w.page).getByText('goes on by itself').waitFor()
  await send(w.page, 'both')
  await w.page.locator('.pending .chip').nth(1).waitFor()
  assert.equal(w.stub.conversations.size, 0)
  assert.deepEqual(await axe(w.page), [])
  await w.page.context().setOffline(false)
  const c = await conversation(w)
  assert.deepEqual(brought(c), [['warm.txt', 'a.png']])
  await w.page.waitForTimeout(500)
  assert.equal(c.bodies.length, 1)
}, { expected: /ERR_INTERNET|Failed|404/ })

scene('a lost acknowledgement: the message stands once, with its files', async (w) => {
  let cut = 1
  w.stub.interfere = (req) => {
    if (!req.url?.endsWith('/runs') || cut-- <= 0) return undefined
    const c = w.stub.conversation(String(req.url).split('/')[3])
    c.start({ message: 'once', attachments: [], brought: w.stub.workspace.bring([{ path: [...w.stub.workspace.files.keys()][0] }]) }, String(req.headers['idempotency-key']), () => {})
    return 'cut'
  }
  await w.open()
  await choose(w.page, file('a.png', blue))
  await uploaded(w, 1)
  await send(w.page, 'once')
  const c = await conversation(w)
  await w.page.locator('.turn .chip canvas').waitFor()
  await until(async () => !(await w.page.locator('.pending').count()))
  assert.equal(c.events.filter((e) => e.type === 'message').length, 1)
  assert.equal(await w.page.locator('.bubble').count(), 1)
}, { expected: /ERR_|404/ })

for (const [status, code, words] of /** @type {[number, string, string][]} */ ([
  [413, 'too_large', 'This is larger than the server takes.'], [403, 'forbidden', 'Your sign-in does not allow this.'],
])) {
  scene(`an upload that is refused (${status}) says so at its file; it can be tried again, or removed`, async (w) => {
    let closed = true
    w.stub.interfere = (req) => (closed && req.method === 'PUT' ? [status, { error: 'server words', code, requestId: 'q-1' }] : undefined)
    await w.open()
    await choose(w.page, file('a.txt', 'alpha'), file('b.txt', 'beta'))
    await until(async () => (await w.page.locator('.composer .chip.bad').count()) === 2)
    assert.match(await chips(w.page).nth(0).innerText(), new RegExp(`${words.replaceAll('.', '\\.')}\\s+server words`))
    await w.page.getByText('Remove the files that cannot be sent, or try them again.').waitFor()
    assert.deepEqual(await axe(w.page), [])
    await shot(w.page, `files-refused-${status}`)
    closed = false
    await w.page.getByRole('button', { name: 'Try a.txt again' }).click()
    await uploaded(w, 1)
    await w.page.getByRole('button', { name: 'Remove b.txt' }).click()
    await until(async () => (await chips(w.page).count()) === 1)
    await send(w.page, 'go')
    assert.deepEqual(brought(await conversation(w)), [['a.txt']])
  }, { expected: /413|403/ })
}

scene('a limit, or a server that is away, is no refusal: the upload goes on by itself', async (w) => {
  let left = 2
  w.stub.interfere = (req) => (req.method === 'PUT' && left-- > 0 ? [503, { error: 'no', code: 'unavailable' }] : undefined)
  await w.open()
  await choose(w.page, file('a.txt', 'alpha'))
  await chips(w.page).getByText('The agent is not ready yet. goes on by itself').waitFor()
  await uploaded(w, 1)
  await until(async () => !(await w.page.getByText('goes on by itself').count()))
}, { expected: /503/ })

scene('a sign-in that expires during an upload loses nothing', async (w) => {
  w.stub.token = 'secret-token-1'
  w.stub.codes.set('code', 'secret-token-1')
  await w.open('/#login=code')
  await w.page.getByRole('textbox', { name: 'Message' }).waitFor()
  let expired = /** @type {boolean|undefined} */ (undefined)
  w.stub.interfere = (req) => {
    if (req.method === 'PUT') expired ??= true
    return expired && req.url?.startsWith('/api/') && !req.url.includes('login') ? [401, { error: 'no', code: 'unauthorized' }] : undefined
  }
  await choose(w.page, file('a.txt', 'alpha'))
  await w.page.getByLabel('Access token').fill('secret-token-1')
  expired = false
  await w.page.keyboard.press('Enter')
  await uploaded(w, 1)
  await until(async () => (await chips(w.page).count()) === 1)
}, { expected: /401/ })

scene('415 of the message: the file is named at its chip, the words come back, and without it the message goes', async (w) => {
  await w.open()
  await choose(w.page, file('fine.txt', 'alpha'), file('odd.txt', 'beta'))
  await uploaded(w, 2)
  const odd = /** @type {string} */ ([...w.stub.workspace.files.keys()].find((p) => p.endsWith('odd.txt')))
  w.stub.workspace.files.set(odd, zip)
  await send(w.page, 'read them')
  await w.page.locator('.fault').getByText('Nothing can be read of a file of this kind.').waitFor()
  await w.page.locator('.pending .chip.bad .chip-name').getByText('odd.txt').waitFor()
  assert.deepEqual(await axe(w.page), [])
  await w.page.getByRole('button', { name: 'Back to the composer' }).click()
  await w.page.locator('.composer .chip.bad .chip-name').getByText('odd.txt').waitFor()
  await w.page.getByRole('button', { name: 'Remove odd.txt' }).click()
  assert.equal(await w.page.getByRole('textbox', { name: 'Message' }).inputValue(), 'read them')
  await w.page.getByRole('button', { name: 'Send' }).click()
  const c = await conversation(w)
  assert.deepEqual(brought(c), [['fine.txt']])
}, { expected: /415|404/ })

scene('404 of the message: a file that vanished from the workspace is uploaded anew by Send again', async (w) => {
  await w.open()
  await choose(w.page, file('a.txt', 'alpha'))
  await uploaded(w, 1)
  w.stub.workspace.files.clear()
  await send(w.page, 'read it')
  await w.page.locator('.fault').getByText('“a.txt” is no longer in the workspace.').waitFor()
  await w.page.getByRole('button', { name: 'Send again' }).click()
  const c = await conversation(w)
  assert.deepEqual(brought(c), [['a.txt']])
  assert.equal(new Set(w.stub.workspace.puts).size, 1)
}, { expected: /404/ })

scene('removed while it is on its way: it goes from the server too, and another of its name is numbered', async (w) => {
  let open = () => {}
  w.stub.workspace.gate = new Promise((resolve) => { open = () => resolve(undefined) })
  await w.open()
  await choose(w.page, file('photo.png', red), file('photo.png', blue), file('Photo.png', red))
  await until(async () => (await chips(w.page).count()) === 3)
  assert.deepEqual(await w.page.locator('.composer .chip-name').allTextContents(), ['photo.png', 'photo (2).png', 'Photo (3).png'])
  await until(() => w.stub.workspace.puts.length === 2)
  await w.page.getByRole('button', { name: 'Remove photo.png' }).focus()
  await w.page.keyboard.press('Enter')
  await until(async () => (await focused(w.page)) === 'Remove photo (2).png')
  open()
  await until(() => w.stub.workspace.removed.some((p) => p.endsWith('/photo.png')))
  await choose(w.page, file('photo.png', blue))
  await until(async () => (await chips(w.page).count()) === 3)
  assert.deepEqual(await w.page.locator('.composer .chip-name').allTextContents(), ['photo (2).png', 'Photo (3).png', 'photo (4).png'])
  await until(() => [...w.stub.workspace.files.keys()].some((p) => p.endsWith('(4).png')))
}, { expected: /ERR_|Failed/ })

scene('a browser that keeps nothing: files are sent all the same, and their danger is said', async (w) => {
  await w.page.addInitScript(() => {
    for (const name of ['localStorage', 'sessionStorage', 'indexedDB']) Object.defineProperty(window, name, { get() { throw new DOMException('no', 'SecurityError') } })
  })
  let open = () => {}
  w.stub.workspace.gate = new Promise((resolve) => { open = () => resolve(undefined) })
  await w.open()
  await choose(w.page, file('a.png', red))
  await w.page.getByText('This browser does not keep these files').waitFor()
  await w.page.getByRole('textbox', { name: 'Message' }).fill('look')
  open()
  await until(async () => !(await w.page.getByText('does not keep these files').count()))
  await w.page.keyboard.press('Enter')
  assert.deepEqual(brought(await conversation(w)), [['a.png']])
})
