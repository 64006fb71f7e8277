// Files of messages that were sent: what is shown of them, and what a new version of the message has.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { blue, brought, chips, choose, file, red, uploaded } from './pictures.js'
import { axe, conversation, says, scene, send, shot, until } from './world.js'

/** Sends files with a message, which has its answer. @param {import('./world.js').World} w @param {...ReturnType<typeof file>} files */
async function answered(w, ...files) {
  await w.open()
  await choose(w.page, ...files)
  await uploaded(w, files.length)
  await send(w.page, 'look')
  const c = await conversation(w)
  c.say('Seen.')
  await w.page.getByText('Seen.').waitFor()
  return c
}

/** A file of a message that was sent. @param {import('./world.js').World} w @param {string} name */
const at = (w, name) => w.page.locator('.turn .chip', { hasText: name })

scene('files belong to their conversation, as its draft does', async (w) => {
  for (const id of ['one', 'two']) {
    const c = w.stub.conversation(id)
    c.start({ message: id }, id, () => {})
    c.say(`About ${id}.`)
  }
  await w.open('/s/one')
  await w.page.getByText('About one.').waitFor()
  await choose(w.page, file('for-one.txt', '1'))
  await uploaded(w, 1)
  await w.page.getByRole('link', { name: 'two' }).click()
  await w.page.getByText('About two.').waitFor()
  assert.equal(await chips(w.page).count(), 0)
  await send(w.page, 'plain')
  const two = w.stub.conversation('two')
  await until(() => two.bodies.length === 2)
  assert.deepEqual(brought(two)[1], [])
  await w.page.goBack()
  await chips(w.page).getByText('for-one.txt').waitFor()
  await w.page.reload()
  await chips(w.page).getByText('for-one.txt').waitFor()
  await send(w.page, 'mine')
  const one = w.stub.conversation('one')
  await until(() => one.bodies.length === 2)
  assert.deepEqual(brought(one)[1], ['for-one.txt'])
})

scene('what was sent is shown as it was, whatever became of the file since', async (w) => {
  await answered(w, file('a.png', red), file('b.png', blue), file('c.txt', 'text'))
  for (const path of w.stub.workspace.files.keys()) w.stub.workspace.files.set(path, Buffer.from('another'))
  await w.page.reload()
  await until(async () => (await w.page.locator('.turn .chip canvas:visible').count()) === 2)
  const colour = (/** @type {string} */ name) => at(w, name).locator('canvas').evaluate((el) => [.../** @type {HTMLCanvasElement} */ (el).getContext('2d')?.getImageData(1, 1, 1, 1).data ?? []].map((v) => v > 127))
  assert.deepEqual([await colour('a.png'), await colour('b.png')], [[true, false, false, true], [false, false, true, true]])
  const saved = w.page.waitForEvent('download')
  await at(w, 'c.txt').getByRole('button').click()
  assert.equal(await readFile(await (await saved).path(), 'utf8'), 'text')
  assert.equal(await w.page.locator('.turn .chip-trouble').count(), 0)
  await w.page.getByRole('button', { name: 'Edit' }).click()
  await w.page.locator('.editor').getByText('The file in the workspace is another one').first().waitFor() // a new version would have that one
})

scene('another file at the same path is never shown for the one that was sent; nor is one that is gone', async (w) => {
  await answered(w, file('a.png', red), file('b.png', blue), file('c.txt', 'text'))
  await until(async () => (await w.page.locator('.turn .chip canvas:visible').count()) === 2)
  const path = (/** @type {string} */ name) => /** @type {string} */ ([...w.stub.workspace.files.keys()].find((p) => p.endsWith(name)))
  w.stub.workspace.files.set(path('a.png'), blue)
  w.stub.workspace.files.set(path('c.txt'), Buffer.from('TEXT'))
  w.stub.workspace.files.delete(path('b.png'))
  w.stub.workspace.kept.clear() // an agent that does not give it, or has lost it
  await w.page.reload()
  await at(w, 'a.png').getByText('The file in the workspace is another one by now.').waitFor()
  await at(w, 'b.png').getByText('The file is no longer in the workspace.').waitFor()
  assert.equal(await w.page.locator('.turn canvas:visible').count(), 0)
  await at(w, 'c.txt').getByRole('button').click()
  await at(w, 'c.txt').getByText('The file in the workspace is another one by now.').waitFor()
  assert.deepEqual(await axe(w.page), [])
  await shot(w.page, 'files-changed')
}, { expected: /404/ })

scene('a name that another program gave a file reorders nothing', async (w) => {
  const c = w.stub.conversation('a')
  c.start({ message: 'look', brought: { attachments: [{ path: 'x/y', name: 'invoice\u202efdp.exe', mediaType: 'text/plain', size: 10, sha256: '0' }] } }, 'k', () => {})
  await w.open('/s/a')
  await says(w.page.locator('.turn .chip-name'), /^invoice\\u\{202E\}fdp\.exe$/)
})

scene('what the model could not read of a file is said in words; a picture without a file has none', async (w) => {
  const c = w.stub.conversation('a')
  const sent = (/** @type {any} */ more) => ({ path: 'x/y.pdf', name: 'y.pdf', mediaType: 'application/pdf', size: 10, sha256: '0', ...more })
  c.start({ message: 'look', brought: { attachments: [sent({ error: 'it is encrypted' }), sent({ error: 'it has 9000 × 9000 pixels; at most 40 megapixels are read', mediaType: 'image/png' }), sent({ path: undefined, name: 'image 1', mediaType: 'image/png' }), sent({ error: 'words of tomorrow' })] } }, 'k', () => {})
  c.say('Hm.')
  await w.open('/s/a')
  for (const text of ['模型未能读取： 已加密', '共 9000 × 9000 像素', '没有对应的文件', '模型未能读取： words of tomorrow']) await w.page.getByText(text).waitFor()
  assert.deepEqual(await axe(w.page), [])
}, { locale: 'zh-CN', expected: /404/ })

scene('an edit keeps the files of its message, and can leave some out', async (w) => {
  const c = await answered(w, file('a.png', red), file('b.txt', 'text'))
  await w.page.getByRole('button', { name: 'Edit' }).click()
  const editor = w.page.locator('.editor')
  await until(async () => (await editor.locator('.chip').count()) === 2)
  assert.deepEqual(await axe(w.page), [])
  await editor.getByRole('textbox').press('Enter')
  await until(() => c.bodies.length === 2)
  assert.deepEqual(brought(c)[1], ['a.png', 'b.txt'])
  c.say('Again.')
  await w.page.getByText('Again.').waitFor()
  await w.page.getByRole('button', { name: 'Edit' }).click()
  await editor.getByRole('button', { name: 'Remove a.png' }).click()
  await w.page.reload() // what was left out is remembered
  await until(async () => (await editor.locator('.chip').count()) === 1)
  await editor.getByRole('textbox').press('Enter')
  await until(() => c.bodies.length === 3)
  assert.deepEqual(brought(c)[2], ['b.txt'])
  c.say('Third.')
  await w.page.getByText('Third.').waitFor()
  w.stub.workspace.files.clear()
  await w.page.getByRole('button', { name: 'Edit' }).click()
  await editor.getByText('The file is no longer in the workspace. Remove it here, then send.').waitFor()
}, { expected: /404/ })
