// Files come in by the button, by a drop, by paste; what cannot be sent says so.

import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { blue, brought, chips, choose, file, pdf, png, ready, red, uploaded, zip } from './pictures.js'
import { axe, conversation, focused, paste, scene, send, shot, until } from './world.js'

/** @typedef {import('playwright-core').Page} Page */

/** What a drawn canvas has in its middle. @param {import('playwright-core').Locator} at */
const colour = (at) => at.evaluate((el) => {
  const canvas = /** @type {HTMLCanvasElement} */ (el)
  return [...(canvas.getContext('2d')?.getImageData(canvas.width / 2, canvas.height / 2, 1, 1).data ?? [])].slice(0, 3)
})

for (const [width, locale] of /** @type {[number, string][]} */ ([[1280, 'en-GB'], [375, 'zh-CN']])) {
  scene(`files by the button: chips, a picture of what is one, sent with the message, looked at, ${width} px`, async (w) => {
    await w.open()
    await choose(w.page, file('红色 photo.png', red), file('report.pdf', pdf), file('evil.svg', '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>'))
    await until(async () => (await chips(w.page).count()) === 3)
    await uploaded(w, 3)
    assert.match(await chips(w.page).nth(0).innerText(), /红色 photo\.png/)
    assert.match(await chips(w.page).nth(1).innerText(), locale === 'zh-CN' ? /便携文档 · \d+ B/ : /PDF · \d+ B/)
    assert.match(await chips(w.page).nth(2).innerText(), locale === 'zh-CN' ? /文本/ : /text/)
    const thumb = chips(w.page).nth(0).locator('canvas')
    await until(() => thumb.isVisible())
    assert.deepEqual(await colour(thumb), [200, 30, 30])
    assert.equal(await w.page.locator('.composer canvas').count(), 1, 'only the image is drawn')
    assert.equal(await w.page.locator('img, object, iframe, embed').count(), 0)
    assert.deepEqual(await axe(w.page), [])
    await shot(w.page, `files-composer-${width}`)
    await send(w.page, 'what is this?')
    const c = await conversation(w)
    assert.deepEqual(brought(c), [['红色 photo.png', 'report.pdf', 'evil.svg']])
    assert.equal(await chips(w.page).count(), 0)
    const sent = w.page.locator('.turn .chip')
    await until(async () => (await sent.count()) === 3)
    await until(() => sent.nth(0).locator('canvas').isVisible())
    assert.deepEqual(await colour(sent.nth(0).locator('canvas')), [200, 30, 30])
    assert.deepEqual(await axe(w.page), [])
    const open = sent.nth(0).getByRole('button')
    await open.focus()
    await w.page.keyboard.press('Enter')
    const dialog = w.page.getByRole('dialog', { name: '红色 photo.png' })
    await until(() => dialog.getByRole('img').isVisible())
    assert.deepEqual(await colour(dialog.getByRole('img')), [200, 30, 30])
    assert.deepEqual(await axe(w.page), [])
    await shot(w.page, `files-preview-${width}`)
    await w.page.keyboard.press('Escape')
    await until(async () => !(await dialog.count()))
    await w.page.waitForTimeout(100)
    assert.equal(c.cancels, 0, 'the key was the preview’s alone')
    c.say('A red one.')
    await w.page.getByText('A red one.').waitFor()
    assert.match(await focused(w.page), /红色 photo\.png/)
    const download = w.page.waitForEvent('download')
    await sent.nth(2).getByRole('button').click()
    assert.equal((await download).suggestedFilename(), 'evil.svg')
    assert.ok(await w.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth))
    await w.page.reload()
    await until(() => sent.nth(0).locator('canvas').isVisible())
  }, { width, locale, height: 800 })
}

scene('what is sure to be refused is said before it is sent: empty, too large, of no readable kind; 16 and one more', async (w) => {
  await w.open()
  await choose(w.page, file('empty.txt', ''), file('a.zip', zip), file('bomb.png', png(8, 8, [0, 0, 0]).fill(0xff, 16, 24)))
  await w.page.evaluate(() => { // too large to be handed over by the test
    const from = new DataTransfer()
    from.items.add(new File([new Uint8Array((8 << 20) + 1).fill(65)], 'large.bin'))
    window.dispatchEvent(new DragEvent('drop', { dataTransfer: from, bubbles: true, cancelable: true }))
  })
  for (const [name, text] of [['empty.txt', 'It is empty.'], ['large.bin', 'Too large: at most 8 MiB.'], ['a.zip', 'Nothing can be read of this kind of file.'], ['bomb.png', 'at most 40 megapixels']]) {
    await chips(w.page).filter({ hasText: name }).getByText(text).waitFor()
  }
  assert.deepEqual(w.stub.workspace.puts, [])
  assert.equal(await w.page.getByRole('button', { name: 'Send' }).isDisabled(), true)
  assert.deepEqual(await axe(w.page), [])
  await shot(w.page, 'files-before')
  for (const name of ['empty.txt', 'large.bin', 'a.zip', 'bomb.png']) await w.page.getByRole('button', { name: `Remove ${name}` }).click()
  await choose(w.page, ...Array.from({ length: 17 }, (_, i) => file(`n${i}.txt`, `text ${i}`)))
  await w.page.getByRole('alert').getByText('At most 16 files go with a message. Left out: n16.txt').waitFor()
  await uploaded(w, 16)
  assert.deepEqual(await axe(w.page), [])
  await send(w.page, 'all')
  assert.equal(brought(await conversation(w))[0].length, 16)
})

scene('hostile names are files like others, and nothing of them runs', async (w) => {
  await ready(w)
  const names = ['../../etc/passwd', '<img src=x onerror=alert(1)>.png', 'a\u202Egnp.txt', '长'.repeat(300) + '.txt', 'CON', '-rf', '👨‍👩‍👧 家.txt', '100%2F..%2F.txt', 'a\\b.txt', '"quoted" & \'single\'.txt', '\u202e\u200b']
  await w.page.evaluate((all) => {
    const from = new DataTransfer()
    for (const name of all) from.items.add(new File([`of ${name}`], name))
    window.dispatchEvent(new DragEvent('drop', { dataTransfer: from, bubbles: true, cancelable: true }))
  }, names)
  await uploaded(w, names.length)
  for (const path of w.stub.workspace.files.keys()) assert.equal(path.split('/').length, 3, path)
  await send(w.page, 'all')
  const c = await conversation(w)
  assert.equal(brought(c)[0].length, names.length)
  await w.page.locator('.turn .chip').nth(names.length - 1).waitFor()
  assert.ok(await w.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth))
  await shot(w.page, 'files-names')
}, { width: 375 })

/** Real files over the page, as the system drags them. @param {Page} page @param {'dragEnter'|'dragOver'|'drop'|'dragCancel'} type @param {string[]} files @param {number} [x] @param {number} [y] */
async function drag(page, type, files, x = 600, y = 300) {
  const client = await page.context().newCDPSession(page)
  await client.send('Input.dispatchDragEvent', { type, x, y, data: { items: [], files, dragOperationsMask: 1 } })
  await client.detach()
}

scene('files are dropped anywhere: one clear sign that does not flicker; a folder is refused by name', async (w) => {
  const dir = mkdtempSync(join(tmpdir(), 'drop-'))
  try {
    writeFileSync(join(dir, 'dropped.png'), red)
    mkdirSync(join(dir, 'Holiday'))
    const c = w.stub.conversation('a')
    c.start({ message: 'hello' }, 'k', () => {})
    c.say('Hello.')
    await w.open('/s/a')
    await w.page.getByText('Hello.').waitFor()
    await w.page.evaluate(() => {
      /** @type {any} */ (window).flips = 0
      new MutationObserver((all) => { for (const m of all) for (const n of [...m.addedNodes, ...m.removedNodes]) if (n instanceof Element && n.matches('.drop')) /** @type {any} */ (window).flips++ })
        .observe(document.body, { childList: true, subtree: true })
    })
    const files = [join(dir, 'dropped.png'), join(dir, 'Holiday')]
    await drag(w.page, 'dragEnter', files)
    for (const [x, y] of [[600, 300], [500, 60], [900, 760], [640, 400], [700, 740], [100, 300]]) {
      await drag(w.page, 'dragOver', files, x, y)
      await w.page.getByText('Drop files to attach them').waitFor()
    }
    await shot(w.page, 'files-drop')
    assert.equal(await w.page.evaluate(() => /** @type {any} */ (window).flips), 1, 'it came once and stayed')
    await drag(w.page, 'drop', files)
    await until(async () => !(await w.page.locator('.drop').count()))
    await chips(w.page).getByText('dropped.png').waitFor()
    await w.page.getByRole('alert').getByText('A folder cannot be attached, only files. Left out: Holiday').waitFor()
    assert.deepEqual(await axe(w.page), [])
    await uploaded(w, 1)
    await w.page.getByRole('button', { name: 'Dismiss' }).click()
    await drag(w.page, 'dragEnter', files)
    await w.page.locator('.drop').waitFor()
    await drag(w.page, 'dragCancel', files)
    await until(async () => !(await w.page.locator('.drop').count()))
    assert.match(w.page.url(), /\/s\/a$/)
  } finally {
    rmSync(dir, { recursive: true })
  }
})

/** A paste, as the browser gives it to the page. @param {Page} page @param {{text?: string, html?: string, files?: [string, string, number[]][]}} what */
const clipboard = (page, what) => page.evaluate(({ text, html, files = [] }) => {
  const data = new DataTransfer()
  if (text !== undefined) data.setData('text/plain', text)
  if (html !== undefined) data.setData('text/html', html)
  for (const [name, type, bytes] of files) data.items.add(new File([new Uint8Array(bytes)], name, { type }))
  const at = document.getElementById('composer')
  at?.focus()
  return !at?.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }))
}, what)

scene('paste: an image and files are attached, text stays text, and so does a table with its picture', async (w) => {
  await ready(w)
  const picture = /** @type {[string, string, number[]]} */ (['image.png', 'image/png', [...red]])
  assert.equal(await clipboard(w.page, { files: [picture] }), true)
  assert.equal(await clipboard(w.page, { files: [picture], html: '<img src="https://example.com/x.png">' }), true)
  assert.equal(await clipboard(w.page, { files: [['notes.txt', 'text/plain', [65]]], text: 'notes.txt' }), true)
  await uploaded(w, 3)
  assert.deepEqual(await w.page.locator('.composer .chip-name').allTextContents(), ['image.png', 'image (2).png', 'notes.txt'])
  assert.equal(await clipboard(w.page, { text: 'plain words' }), false, 'text is left to the field')
  assert.equal(await clipboard(w.page, { text: 'a\tb', html: '<table><tr><td>a</td></tr></table>', files: [picture] }), false)
  assert.equal(await chips(w.page).count(), 3)
})

scene('a long text that is pasted is offered as a file; one that is too long can be one', async (w) => {
  await w.open()
  const long = 'many words. '.repeat(1200)
  await w.page.getByRole('textbox', { name: 'Message' }).fill('see: ')
  assert.equal(await clipboard(w.page, { text: long }), false)
  await paste(w.page, `see: ${long}`)
  await w.page.getByText('A long text was pasted: 15 KiB.').waitFor()
  assert.deepEqual(await axe(w.page), [])
  await shot(w.page, 'files-long')
  await w.page.getByRole('button', { name: 'Attach it as a file instead' }).click()
  await uploaded(w, 1)
  assert.equal(await w.page.getByRole('textbox', { name: 'Message' }).inputValue(), 'see:')
  assert.equal(String([...w.stub.workspace.files.values()][0]), long)
  await chips(w.page).getByText('pasted.txt').waitFor()
  await paste(w.page, 'x'.repeat(300_000))
  await w.page.getByText('too long to send').waitFor()
  await w.page.getByRole('button', { name: 'Attach it as a file instead' }).click()
  await uploaded(w, 2)
  assert.equal(await w.page.getByRole('textbox', { name: 'Message' }).inputValue(), '')
  await w.page.keyboard.press('Enter')
  const c = await conversation(w)
  assert.deepEqual(brought(c), [['pasted.txt', 'pasted (2).txt']])
  assert.equal(c.bodies[0].message, 'Please look at this.')
})

scene('the keyboard reaches all of it, and an input method sends nothing', async (w) => {
  await w.open()
  await w.page.getByRole('textbox', { name: 'Message' }).focus()
  await w.page.keyboard.press('Shift+Tab')
  assert.equal(await focused(w.page), 'Attach files')
  const [chooser] = await Promise.all([w.page.waitForEvent('filechooser'), w.page.getByRole('button', { name: 'Attach files' }).press('Enter')])
  await chooser.setFiles([file('a.txt', 'alpha')])
  await uploaded(w, 1)
  await until(async () => (await focused(w.page)) === 'Message')
  await w.page.locator('#composer').evaluate((el) => {
    el.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', keyCode: 229, bubbles: true, cancelable: true }))
    el.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', isComposing: true, bubbles: true, cancelable: true }))
  })
  await w.page.waitForTimeout(200)
  assert.equal(w.stub.conversations.size, 0)
  await w.page.keyboard.press('Shift+Tab')
  await w.page.keyboard.press('Shift+Tab')
  assert.equal(await focused(w.page), 'Remove a.txt')
  await w.page.keyboard.press('Enter')
  await until(async () => (await focused(w.page)) === 'Message')
  await until(() => w.stub.workspace.removed.length === 1)
  assert.equal(await w.page.getByRole('button', { name: 'Send' }).isDisabled(), true)
})

scene('a phone: what can be pressed of files is 44 px', async (w) => {
  w.stub.models = [{ id: 'a/one', name: 'one', default: true, context: 0, vision: true }, { id: 'a/two', name: 'two', context: 0, vision: true }]
  await w.open()
  await choose(w.page, file('a.png', red), file('a rather long name of a file that does not fit anywhere.txt', 'x'))
  await uploaded(w, 2)
  await send(w.page, 'look')
  const c = await conversation(w)
  c.say('Seen.')
  await until(() => w.page.locator('.turn .chip canvas').first().isVisible())
  await choose(w.page, file('b.png', blue))
  await until(async () => (await chips(w.page).count()) === 1)
  const small = await w.page.evaluate(() => [...document.querySelectorAll('button, select, summary')].flatMap((el) => {
    const b = el.getBoundingClientRect()
    return b.width && el.checkVisibility({ visibilityProperty: true }) && (b.height < 43.5 || b.width < 43.5) ? [`${el.getAttribute('aria-label')} ${b.width}×${b.height}`] : []
  }))
  assert.deepEqual(small, [])
  assert.ok(await w.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth))
  assert.deepEqual(await axe(w.page), [])
  await shot(w.page, 'files-phone')
}, { width: 375, height: 740, touch: true })
