// Answers as models write them, in the browser that decides what a reader sees.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { axe, conversation, scene, send, shot, until } from './world.js'
import { attacks, places } from '../attacks.js'
import { tags, formulaTags } from '../../src/text/allowed.js'

/** @typedef {import('./world.js').World} World */

/** Asks, and has the answer come in pieces. @param {World} w @param {string} text @param {number} [piece] */
async function answered(w, text, piece = 9) {
  await w.open()
  await send(w.page, 'say it')
  const c = await conversation(w)
  for (let i = 0; i < text.length; i += piece) c.chunk(text.slice(i, i + piece))
  c.say(text)
  await w.page.getByRole('button', { name: /Answer again|重新回答/ }).waitFor()
  return c
}

/** @param {World} w */
const shown = (w) => w.page.locator('.prose').innerText()

/** @param {string} text @param {string} part */
const times = (text, part) => text.split(part).length - 1

scene('nothing of an answer is said twice: definitions, footnotes, lines of a talk or a log, code', async (w) => {
  await answered(w, '[Alice]: Hello there\n\n[INFO]: the disk is full\n\nSee [the guide][g] and the note[^n].\n\n```ts\ninterface Row {\n  [key: string]: string | number\n}\n[x]: https://example.org/x\n```\n\nA paragraph.\n\n[g]: https://example.org/guide\n[^n]: What the note says.\n\nThe end.')
  const text = await shown(w)
  for (const part of ['Hello there', 'the disk is full', '[key: string]', 'https://example.org/x', 'What the note says.', 'The end.']) assert.equal(times(text, part), 1, part)
  assert.equal(times(text, 'https://example.org/guide'), 0)
  assert.equal(await w.page.getByRole('link', { name: 'the guide' }).getAttribute('href'), 'https://example.org/guide')
  await w.page.getByRole('button', { name: 'Footnote 1' }).click()
  assert.equal(await w.page.evaluate(() => document.activeElement?.getAttribute('data-note-of')), '1')
})

scene('Chinese emphasis is what was meant, and an address ends where the sentence goes on', async (w) => {
  await answered(w, '**注意：**请先保存。这是**“重点”**内容，~~旧的（一）。~~新的。\n\n1. **步骤一：**访问https://example.com/路径。然后点击（确定）。\n2. **「完成」**后关闭')
  assert.deepEqual(await w.page.locator('.prose strong').allInnerTexts(), ['注意：', '“重点”', '步骤一：', '「完成」'])
  assert.deepEqual(await w.page.locator('.prose del').allInnerTexts(), ['旧的（一）。'])
  assert.equal(await w.page.locator('.prose a').innerText(), 'https://example.com/路径')
  assert.doesNotMatch(await shown(w), /\*|~/)
}, { locale: 'zh-CN' })

scene('money fetches no renderer of formulas; the first formula does, and it is drawn', async (w) => {
  const c = await answered(w, 'From $5 to $6, or `$x_1$`.')
  assert.equal(w.stub.requests.filter((r) => /\/tex-/.test(r)).length, 0)
  await send(w.page, 'and now')
  await until(() => c.run === 'r2')
  const text = 'So \\(a_1*b_1\\), $\\alpha \\, \\beta$ and\n\n$$\n\\frac{1}{2} \\\\\n\\sum_{i=1}^n i\n$$\n\nwith \\(\\nosuchcommand{x}\\).'
  for (let i = 0; i < text.length; i += 5) c.chunk(text.slice(i, i + 5))
  c.say(text)
  await until(async () => (await w.page.locator('.prose math').count()) === 3)
  assert.equal(w.stub.requests.filter((r) => /\/tex-/.test(r)).length, 1)
  await w.page.locator('.math.display mfrac').waitFor()
  await w.page.getByText('\\(\\nosuchcommand{x}\\)').waitFor() // to the letter
  await shot(w.page, 'formulas')
  assert.ok(await w.page.locator('.math.display').evaluate((el) => el.getBoundingClientRect().height > 30))
})

scene('a formula has its frames, its lines and its colours, without a style attribute', async (w) => {
  await answered(w, '$$\n\\boxed{x=1}\n$$\n\n$$\n\\left[\\begin{array}{c|c}1&2\\\\\\hline 3&4\\end{array}\\right]\n$$\n\n$$\n\\textcolor{red}{y}\\colorbox{yellow}{z}\n$$\n\n$$\n\\begin{array}{c:c}1&2\\\\\\hline\\hline 3&4\\end{array}\n$$\n\n$$\n\\xcancel{x}\n$$\n\n$$\nE=mc^2 \\tag{1}\n$$')
  await until(async () => (await w.page.locator('.prose math').count()) === 6)
  const style = (/** @type {string} */ at, /** @type {string} */ property) => w.page.locator(`.prose math ${at}`).first().evaluate((el, name) => getComputedStyle(el).getPropertyValue(name), property)
  assert.equal(await style('.look-box', 'border-top-style'), 'solid')
  assert.deepEqual([await style('mtr:first-child mtd:first-child', 'border-right-style'), await style('mtr:first-child mtd:last-child', 'border-right-style'), await style('mtr:first-child mtd', 'border-bottom-style')], ['solid', 'none', 'solid'])
  const lines = await w.page.locator('.prose math').nth(3).locator('mtd').evaluateAll((all) => all.map((el) => ['top', 'right', 'bottom', 'left'].map((side) => getComputedStyle(el).getPropertyValue(`border-${side}-style`)).join(' ')))
  assert.deepEqual(lines, ['none dashed double none', 'none none double none', 'none dashed none none', 'none none none none'])
  assert.equal((await style('menclose', 'background-image')).match(/linear-gradient/g)?.length, 2, 'both strokes of a cross')
  assert.equal(await style('[mathcolor]', 'color'), 'rgb(255, 0, 0)')
  assert.equal(await style('[mathbackground]', 'background-color'), 'rgb(255, 255, 0)')
  const [formula, number] = await w.page.locator('.math.display').last().evaluate((el) => [el.getBoundingClientRect(), /** @type {Element} */ (el.querySelector('.tml-tag')).getBoundingClientRect()].map((box) => box.right))
  assert.ok(Math.abs(formula - number) < 30, `the number of an equation stands at the right: ${formula} ${number}`)
  assert.equal(await w.page.locator('.prose [style]').count(), 0)
  await shot(w.page, 'frames')
})

scene('without the renderer a formula is shown to the letter', async (w) => {
  await w.page.route(/\/tex-/, (route) => route.abort())
  await answered(w, 'So \\(a_1*b_1 \\, \\{x\\}\\) and\n\n$$\na \\\\ b\n$$')
  assert.match(await shown(w), /So \\\(a_1\*b_1 \\, \\\{x\\\}\\\) and\s+\$\$\s+a \\\\ b\s+\$\$/)
}, { expected: /ERR_FAILED|Failed to/ })

scene('the few tags, alerts and details are drawn; every other tag is text', async (w) => {
  await answered(w, '| a | b |\n|---|---|\n| one<br>two | H<sub>2</sub>O |\n\nx<sup>2</sup>, press <kbd>K</kbd>, <b>not</b> <br class="x">\n\n> [!WARNING]\n> **当心：**烫\n\n<details>\n<summary>More</summary>\n\n- inside\n\n</details>\n\n- [x] done\n- [ ] open')
  const { page } = w
  assert.equal(await page.locator('td', { hasText: 'one' }).innerText(), 'one\ntwo')
  assert.deepEqual([await page.locator('.prose sub').count(), await page.locator('.prose sup').count(), await page.locator('.prose kbd').count()], [1, 1, 1])
  assert.match(await shown(w), /<b>not<\/b> <br class="x">/)
  await page.locator('.alert-warning', { hasText: '当心：烫' }).waitFor()
  assert.equal(await page.getByText('inside').isVisible(), false)
  await page.locator('summary', { hasText: 'More' }).click()
  await page.getByText('inside').waitFor()
  assert.match(await shown(w), /☑ done\s+☐ open/)
  await shot(page, 'tags')
})

for (const width of [1280, 375]) {
  scene(`${width} px: a table keeps its columns readable and scrolls by itself`, async (w) => {
    const long = 'A cell with a whole sentence in it, and then some more words so that it becomes long. '.repeat(8)
    await answered(w, `| Name | Kind | Size | Since | By | What it is |\n|---|---|---|---|---|---|\n| alpha | file | 12 kB | 2024 | Bear | ${long} |\n| 名称 | 目录 | 3 | 2023 | 熊大 | 短 |\n\nend`)
    const cells = await w.page.locator('.prose tbody tr:first-child td').evaluateAll((all) => all.map((td) => ({ width: td.getBoundingClientRect().width, ch: parseFloat(getComputedStyle(td).fontSize) / 2 })))
    for (const { width: wide, ch } of cells) assert.ok(wide >= 8 * ch && wide <= 50 * ch + 40, `${wide} px at ${ch} px a letter`)
    const row = await w.page.locator('.prose tbody tr').first().evaluate((el) => el.getBoundingClientRect().height)
    assert.ok(row < 800, `a row of ${row} px`)
    assert.equal(await w.page.evaluate(() => Number(document.querySelector('.prose')?.getBoundingClientRect().right) <= innerWidth), true)
    if (width < 500) assert.ok(await w.page.locator('.table').evaluate((el) => el.scrollWidth > el.clientWidth))
    await shot(w.page, `table-${width}`)
  }, { width, height: 800 })
}

/** @type {Record<string, string>} */
const programs = {
  'c#': 'public class A { }', php: '<?php function f() { return 1; }', ruby: 'def f; end', kotlin: 'fun main() { val a = 1 }', swift: 'func f() { let a = 1 }', dockerfile: 'FROM alpine\nRUN ls', toml: '[a]\nb = "c"', ini: '[a]\nb=1',
  powershell: 'function F { $a = 1 }', makefile: 'all: x\n\techo $(X)', lua: 'local a = "b"', python: 'def f(): return 1', sql: 'SELECT a FROM b', rust: 'fn main() {}', yaml: 'a: "b"', tsx: 'const a: string = "b"', bash: 'echo "a"',
}
scene('code of many languages has colours, each fetched when it comes', async (w) => {
  await answered(w, Object.entries(programs).map(([lang, code]) => `\`\`\`${lang}\n${code}\n\`\`\``).join('\n\n') + '\n\n```klingon\nqapla\n```', 40)
  for (const lang of Object.keys(programs)) await until(() => w.page.evaluate((name) => document.querySelector(`code[class="language-${CSS.escape(name)}"] [class^="hljs-"]`) !== null, lang))
  assert.equal(await w.page.locator('.code', { hasText: 'qapla' }).locator('[class^="hljs-"]').count(), 0)
  assert.equal(w.stub.requests.filter((r) => /\/(haskell|dart|julia)-/.test(r)).length, 0)
})

scene('long lines wrap when asked, and long code is folded when it is opened', async (w) => {
  const c = w.stub.conversation('x')
  c.start({ message: 'code' }, 'k', () => {})
  c.say('```js\n' + `let a = "${'long '.repeat(80)}"\n` + 'let b = 1\n'.repeat(80) + '```')
  await w.open('/s/x')
  const pre = w.page.locator('.code pre')
  await pre.waitFor()
  assert.ok(await pre.evaluate((el) => el.scrollWidth > el.clientWidth + 100))
  await w.page.getByRole('button', { name: /wrap/i }).click()
  assert.ok(await pre.evaluate((el) => el.scrollWidth <= el.clientWidth + 1))
  const folded = await pre.evaluate((el) => el.getBoundingClientRect().height)
  await w.page.locator('.fold').click()
  assert.ok(await pre.evaluate((el) => el.getBoundingClientRect().height) > folded + 400)
})

/** Selects from one word to another and says what is selected. @param {import('playwright-core').Page} page @param {string} within @param {string} words */
const select = (page, within, words) => page.evaluate(([selector, wanted]) => {
  const root = [...document.querySelectorAll(selector)].find((el) => el.textContent?.includes(wanted))
  if (!root) return ''
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT)
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const at = (node.nodeValue ?? '').indexOf(wanted)
    if (at < 0) continue
    getSelection()?.setBaseAndExtent(node, at, node, at + wanted.length)
    return String(getSelection())
  }
  return ''
}, [within, words])
/** @param {import('playwright-core').Page} page */
const selected = (page) => page.evaluate(() => String(getSelection()))

scene('what is selected in a growing paragraph, list, table or program stays selected', async (w) => {
  await w.open()
  await send(w.page, 'grow')
  const c = await conversation(w)
  for (const [selector, start, words, more] of [
    ['.prose p', 'Some words that **grow** and then', 'words that', [' go', ' on and', ' on', ' **bold** text', ' `code` too.']],
    ['.prose li', '\n\n- first item\n- second item', 'second', [' goes on', '\n- third', ' item', '\n- fourth\n']],
    ['.prose td', '\n\n| a | b |\n|---|---|\n| cell one | cell', 'cell one', [' two |', '\n| three', ' | four |\n']],
    ['.prose code', '\n\n```js\nlet first = 1\nlet second', 'second', [' = 2', '\nlet third = "', 'x"\n', 'let last = 4\n```\n\n']],
  ]) {
    c.chunk(/** @type {string} */ (start))
    await until(async () => (await select(w.page, /** @type {string} */ (selector), /** @type {string} */ (words))) === words)
    for (const piece of more) {
      c.chunk(piece)
      await w.page.waitForTimeout(60)
      assert.equal(await selected(w.page), words, `after ${JSON.stringify(piece)}`)
    }
  }
})

scene('code has colours while it is written', async (w) => {
  await w.open()
  await send(w.page, 'code')
  const c = await conversation(w)
  c.chunk('```go\nfunc main() {\n\tx := "text"\n')
  await w.page.locator('.hljs-keyword', { hasText: 'func' }).waitFor()
  c.chunk('\ty := 2\n}\n// the last')
  await w.page.locator('.hljs-string', { hasText: '"text"' }).waitFor()
  await w.page.getByText('// the last').waitFor()
  const text = 'func main() {\n\tx := "text"\n\ty := 2\n}\n// the last'
  assert.equal(await w.page.locator('.prose code').evaluate((el) => el.textContent), text)
  // What is copied of it by hand is the same.
  assert.equal((await w.page.evaluate(() => {
    getSelection()?.selectAllChildren(/** @type {Node} */ (document.querySelector('.prose code')))
    return String(getSelection())
  })), text)
})

scene('a growing list and a growing table keep the elements of what is complete', async (w) => {
  await w.open()
  await send(w.page, 'grow')
  const c = await conversation(w)
  c.chunk('- one **1**\n- two\n- three')
  await until(async () => (await w.page.locator('.prose li').count()) === 3)
  const mark = (/** @type {string} */ selector) => w.page.evaluate((s) => document.querySelectorAll(s).forEach((el) => { /** @type {any} */ (el).kept = 1 }), selector)
  const kept = (/** @type {string} */ selector) => w.page.evaluate((s) => [...document.querySelectorAll(s)].filter((el) => /** @type {any} */ (el).kept).length, selector)
  await mark('.prose li, .prose li strong')
  c.chunk(' and more\n- four\n- five\n')
  await until(async () => (await w.page.locator('.prose li').count()) === 5)
  assert.equal(await kept('.prose li, .prose li strong'), 4)
  c.chunk('\n\nA table\n\n| a | b |\n|---|---|\n| 1 | **2** |\n| 3 | 4 |\n')
  await until(async () => (await w.page.locator('.prose tr').count()) === 3)
  await mark('.prose tr, .prose td')
  c.chunk('| 5 | 6 |\n| 7 | 8 |\n')
  await until(async () => (await w.page.locator('.prose tr').count()) === 5)
  assert.equal(await kept('.prose tr'), 3)
  assert.equal(await kept('.prose td'), 4)
})

for (const [name, text] of /** @type {[string, string][]} */ ([
  ['3,000 quotes in quotes', '> '.repeat(3000) + 'deep'], ['a list of 1,000 levels', Array.from({ length: 1000 }, (_, i) => ' '.repeat(i * 2) + '- a').join('\n') + '\n\ndeep'],
  ['a line of 1 MB', 'word '.repeat(200_000) + 'deep'], ['a line of 1 MB without a space', 'x'.repeat(1_000_000) + 'deep'], ['details in details', '<details>\n'.repeat(3000) + 'deep'],
])) {
  scene(`${name} cannot blank a conversation`, async (w) => {
    const c = w.stub.conversation('x')
    c.start({ message: 'the question' }, 'k', () => {})
    c.say(text)
    c.start({ message: 'one more' }, 'k2', () => {})
    c.say('The next answer.')
    await w.open('/s/x')
    await w.page.getByText('The next answer.').waitFor()
    await w.page.locator('.bubble', { hasText: 'the question' }).waitFor()
    assert.ok(await w.page.locator('.prose').first().evaluate((el) => el.textContent?.includes('deep')))
    assert.ok(await w.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth))
  })
}

scene('attacks in every construct are text and nothing else, while they grow and at the end', async (w) => {
  await w.open()
  await send(w.page, 'attack')
  const c = await conversation(w)
  let run = 0
  for (const [i, place] of places.entries()) {
    const text = attacks.map((attack) => place(attack.replaceAll('alert(1)', `window.hacked=${i + 1}`))).join('\n\n')
    for (let at = 0; at < text.length; at += 101) c.chunk(text.slice(at, at + 101))
    c.say(text)
    run++
    await until(async () => (await w.page.locator('.theirs').count()) >= run)
    if (i < places.length - 1) {
      c.start({ message: `next ${i}` }, `k${i}`, () => {})
      await until(async () => (await w.page.locator('.bubble').count()) > run)
    }
  }
  await until(async () => (await w.page.locator('.prose math').count()) > 0)
  await w.page.waitForTimeout(300)
  for (const details of await w.page.locator('.prose summary').all()) await details.click()
  const found = await w.page.evaluate(() => {
    const names = new Set()
    const bad = []
    for (const el of document.querySelectorAll('.prose *')) {
      names.add(el.localName)
      for (const { name, value } of el.attributes) {
        if (/^on|^style$|srcdoc|^action$|^formaction$/i.test(name)) bad.push(`${el.localName} ${name}`)
        if (/^(?:href|src|xlink:href)$/i.test(name) && !/^(?:https?:|mailto:|data:image\/)/i.test(value)) bad.push(`${el.localName} ${name}=${value}`)
      }
    }
    return { names: [...names], bad, hacked: /** @type {any} */ (window).hacked }
  })
  assert.deepEqual(found.bad, [])
  assert.equal(found.hacked, undefined)
  assert.deepEqual(found.names.filter((name) => !tags.includes(name) && !formulaTags.includes(name) && name !== 'semantics'), [])
  await shot(w.page, 'attacks')
})

scene('a new chat fetches nothing that draws answers; without it they are words, and are drawn as soon as it is there', async (w) => {
  const c = w.stub.conversation('a')
  c.start({ message: 'hello' }, 'k', () => {})
  c.say('So it **is**.')
  const asked = () => w.stub.requests.filter((r) => r.includes('/prose-')).length
  await w.open()
  await w.page.getByText('guardian of the forest').waitFor()
  await w.page.getByRole('link', { name: 'hello' }).waitFor()
  assert.equal(asked(), 0)
  let away = true
  await w.page.route('**/prose-*', (route) => (away ? route.abort() : route.continue()))
  await w.page.getByRole('link', { name: 'hello' }).click()
  await w.page.getByText('So it **is**.').waitFor()
  away = false
  await w.page.locator('strong', { hasText: 'is' }).waitFor()
  assert.equal(await w.page.getByText('**').count(), 0)
  // Who begins to write has it before the answer comes.
  await w.page.unroute('**/prose-*')
  await w.open()
  await w.page.getByText('guardian of the forest').waitFor()
  const before = asked()
  await w.page.keyboard.type('h')
  await until(() => asked() > before)
}, { expected: /ERR_FAILED/ })

const fences = (/** @type {string[]} */ ...all) => all.map((svg) => '```svg\n' + svg + '\n```').join('\n\n')
/** What a picture shows: how many of its pixels are not white, and the colour in its middle. @param {import('playwright-core').Locator} img */
const pixels = (img) => img.evaluate(async (/** @type {HTMLImageElement} */ el) => {
  await el.decode()
  const canvas = document.createElement('canvas')
  canvas.width = el.naturalWidth
  canvas.height = el.naturalHeight
  const c = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'))
  c.drawImage(el, 0, 0)
  const at = c.getImageData(canvas.width / 2, canvas.height / 2, 1, 1).data
  return { size: [canvas.width, canvas.height], middle: [...at] }
})

for (const width of [1280, 375]) {
  scene(`a drawing is a picture when asked for, a page of HTML a file: ${width} px`, async (w) => {
    const c = w.stub.conversation('a')
    c.start({ message: 'draw' }, 'k', () => {})
    c.say(fences('<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4000 2000"><title>A red box</title><defs><linearGradient id="g"><stop offset="0" stop-color="#f00"/><stop offset="1" stop-color="#f00"/></linearGradient></defs><rect width="4000" height="2000" fill="url(#g)"/></svg>',
      'not a drawing') + '\n\n```html\n<!doctype html><script>alert(1)</script>\n```\n\n```js\nx\n```')
    await w.open('/s/a')
    const code = w.page.locator('.code')
    await code.nth(3).waitFor()
    assert.deepEqual(await Promise.all([0, 1, 2, 3].map((i) => code.nth(i).locator('.code-head button').allTextContents())),
      [['Preview', 'Save', 'Wrap', 'Copy'], ['Preview', 'Save', 'Wrap', 'Copy'], ['Save', 'Wrap', 'Copy'], ['Wrap', 'Copy']])
    assert.ok(!w.stub.requests.some((r) => r.includes('/drawing-')))
    await code.nth(0).getByRole('button', { name: 'Preview' }).click()
    const img = code.nth(0).getByRole('img', { name: 'A red box' })
    assert.deepEqual(await pixels(img), { size: [1200, 600], middle: [255, 0, 0, 255] })
    assert.equal(await code.nth(0).locator('figcaption').count(), 0)
    assert.ok((await w.page.evaluate(() => document.documentElement.scrollWidth)) <= width)
    assert.equal((await axe(w.page)).length, 0)
    await shot(w.page, `drawing-${width}`)
    await code.nth(0).getByRole('button', { name: 'Preview' }).click()
    assert.equal(await img.count(), 0)
    await code.nth(1).getByRole('button', { name: 'Preview' }).click()
    await w.page.getByText('This cannot be drawn here.').waitFor()
    for (const [i, name, text] of /** @type {const} */ ([[0, 'answer.svg', '<?xml version'], [2, 'answer.html', '<!doctype html><script>alert(1)</script>']])) {
      const [file] = await Promise.all([w.page.waitForEvent('download'), code.nth(i).getByRole('button', { name: 'Save' }).click()])
      assert.equal(file.suggestedFilename(), name)
      assert.ok(readFileSync(await file.path(), 'utf8').startsWith(text))
    }
  }, { width, touch: width < 500 })
}

scene('a drawing runs nothing, fetches nothing and keeps nothing busy', async (w) => {
  const wrap = (/** @type {string} */ inner, attrs = '') => `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="40" height="40" ${attrs}><rect width="40" height="40" fill="#00f"/>${inner}</svg>`
  const bomb = Array.from({ length: 30 }, (_, i) => `<g id="a${i + 1}"><use href="#a${i}"/><use href="#a${i}"/></g>`).join('')
  const hostile = [
    wrap('<script>document.title = "run"</script>'), wrap('', 'onload="document.title = \'run\'"'), wrap('<foreignObject width="40" height="40"><img xmlns="http://www.w3.org/1999/xhtml" src="https://stranger.example/x"/></foreignObject>'),
    wrap('<image href="https://stranger.example/x" width="9" height="9"/>'), wrap('<style>@import url(https://stranger.example/x); rect { fill: url(https://stranger.example/x) }</style>'), wrap('<rect fill="url(https://stranger.example/x)"/>'),
    wrap(`<g id="a0"><rect width="1" height="1"/></g>${bomb}`), wrap('<a href="javascript:document.title = 1"><rect width="40" height="40"/></a>'), wrap('<animate attributeName="x" repeatCount="indefinite" dur="0.001s" values="0;1"/>'),
    wrap('<filter id="f"><feGaussianBlur stdDeviation="9999"/></filter><rect width="40" height="40" filter="url(#f)"/>'), wrap('<path d="M0 0H99999" stroke="red" stroke-dasharray="0.001"/>'.repeat(20)),
    wrap('<rect fill="u\\72l(https://stranger.example/x)"/>'), wrap('<rect\nFILL="URL( https://stranger.example/x )"/>'), wrap('<image xlink:href="data:image/svg+xml,<use href=stranger>"/>'),
    `${wrap('')}<p>${Array.from({ length: 480 }, (_, i) => `<i id=${i}>`).join('')}${'<p>x'.repeat(480)}`, wrap(`<title><p>${Array.from({ length: 480 }, (_, i) => `<Font\ncolor=${i}>`).join('')}${'<p>x'.repeat(480)}</title>`),
    wrap('</svg><img src=x onerror="document.title = \'run\'"><svg>'), wrap('<pattern id="p"><rect fill="url(#p)"/></pattern>'), wrap('<rect style="fill:red" width="40" height="40"/>'), wrap('<set attributeName="href" to="javascript:1"/>'),
  ]
  const refused = ['<svg width="1e9" height="1"></svg>', wrap('<g>'.repeat(1500)), wrap('<z>'.repeat(1500)), '<svg viewBox="0 0 0 0"></svg>', `<svg>${'x'.repeat(70_000)}</svg>`, '<svg viewBox="0 0 -1 9"/>', '<math><mi>x</mi></math>']
  const c = w.stub.conversation('a')
  c.start({ message: 'draw' }, 'k', () => {})
  c.say(fences(...hostile, ...refused))
  await w.open('/s/a')
  const buttons = w.page.getByRole('button', { name: 'Preview' })
  await until(async () => (await buttons.count()) === hostile.length + refused.length)
  const title = await w.page.title()
  for (let i = 0; i < hostile.length + refused.length; i++) await buttons.nth(i).click()
  const code = w.page.locator('.code')
  for (const [i, svg] of hostile.entries()) {
    assert.equal((await pixels(code.nth(i).locator('img'))).middle[3], 255, svg)
    assert.ok((await code.nth(i).locator('figcaption').count()) === 1 || !svg.includes('<rect style'), svg)
    const address = decodeURIComponent(await code.nth(i).locator('img').evaluate((/** @type {HTMLImageElement} */ el) => el.src))
    assert.doesNotMatch(address, /stranger|javascript|script|<use|<style|onload|onerror|foreignObject|<image|animate|filter=|dash|pattern|style=/i, svg)
  }
  for (let i = 0; i < refused.length; i++) assert.equal(await code.nth(hostile.length + i).locator('img').count(), 0, refused[i])
  assert.equal(await w.page.getByText('This cannot be drawn here.').count(), refused.length)
  assert.equal(await w.page.title(), title)
})

scene('a drawing is as large as it says, at least as a browser has it, and its names are its own', async (w) => {
  const red = '<rect width="100%" height="100%" fill="#f00"/>'
  const paint = (/** @type {string} */ id, /** @type {string} */ fill) => `<svg viewBox="0 0 300 300"><linearGradient id="${id}"><stop stop-color="#f00"/></linearGradient><rect width="300" height="300" fill="${fill}"/></svg>`
  /** @type {[string, number[]][]} */
  const drawings = [
    [`<svg viewBox="0 0 24 24" width="240" height="240">${red}</svg>`, [240, 240]], [`<svg viewBox="0 0 24 12" width="96px">${red}</svg>`, [96, 48]], [`<svg viewBox="0 0 1 1">${red}</svg>`, [300, 300]],
    [`<svg width="100%" height="100%">${red}</svg>`, [300, 150]], [`<svg width="9000" height="4500" viewBox="0 0 10 5">${red}</svg>`, [1200, 600]], [`<svg width="1e999" height="1e999">${red}</svg>`, [1200, 1200]],
    [paint('body', 'url(#body)'), [300, 300]], [paint('a.b', "url('#a.b') none"), [300, 300]],
    [`<svg viewBox="0 0 300 300">${red}<marker><rect width="300" height="300"/></marker><symbol><rect width="300" height="300"/></symbol></svg>`, [300, 300]],
    [`<svg viewBox="0 0 300 300"><a href="#x"><b>${red}</b></a></svg>`, [300, 300]],
  ]
  const c = w.stub.conversation('a')
  c.start({ message: 'draw' }, 'k', () => {})
  c.say(fences(...drawings.map(([svg]) => svg)))
  await w.open('/s/a')
  const code = w.page.locator('.code')
  await until(async () => (await code.count()) === drawings.length)
  for (const [i, [svg, size]] of drawings.entries()) {
    await code.nth(i).getByRole('button', { name: 'Preview' }).click()
    assert.deepEqual(await pixels(code.nth(i).locator('img')), { size, middle: [255, 0, 0, 255] }, svg)
  }
})
