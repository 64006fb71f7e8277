// Answers that were written to break the page, or that chance wrote: none is
// refused, none takes long, and none becomes an element that is not on the list.
// FUZZ_SECONDS makes the search by chance longer, in seconds of CPU.

import test from 'node:test'
import assert from 'node:assert/strict'
import './bundled.js'
import { assertWithin } from './speed.js'
import { attacks, places } from './attacks.js'
import { addresses, attributes, formulaTags, tags } from '../src/text/allowed.js'
import { AnswerText } from '../src/text/answer.js'
import { codeToHTML, toHTML } from '../src/text/markdown.js'
import { serialize, wordsOf } from '../src/text/nodes.js'
const { render } = await import('../src/text/tex.js')

/** @typedef {import('../src/text/nodes.js').Node} Node */

const KB = 1024
/** What one text of 64 kB may take is 100 ms of CPU; the rest is for a machine that is busy, where the same work counts for more. */
const LONGEST = 300

/** @param {() => void} work @returns {number} ms of CPU */
function cost(work) {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

/** The least of several times, which chance made slow. @param {() => void} work */
function leastCost(work) {
  let least = Infinity
  for (let i = 0; i < 4 && least > LONGEST / 3; i++) least = Math.min(least, cost(work))
  return least
}

/** @param {string} mathml every < in it begins or ends an element of the list */
function checkFormula(mathml) {
  const rest = mathml.replace(/<\/?([a-z]+)((?:\s+[\w-]+="[^"<>]*")*)\s*\/?>/g, (all, name, pairs) => {
    // What is on neither list is taken out before it is shown; these would be worse than useless.
    assert.ok(formulaTags.includes(name), all)
    assert.doesNotMatch(pairs, /\s(?:href|src|style|on\w+)=/i)
    return ''
  })
  assert.doesNotMatch(rest, /</)
}

/** @param {Node[]} nodes @param {string} text */
function check(nodes, text) {
  for (const n of nodes) {
    if (typeof n === 'string') continue
    if ('entity' in n) assert.match(n.entity, /^&[A-Za-z][A-Za-z\d]*;$/)
    else if ('math' in n) checkFormula(render(n.math, n.display) ?? '')
    else if ('file' in n) {
      assert.ok(!n.file.split('/').includes('..') && !n.file.startsWith('/'), n.file)
      check(n.children, text)
    } else if ('children' in n) {
      assert.ok(!n.tag || tags.includes(n.tag), n.tag)
      for (const [name, value] of Object.entries(n.attrs ?? {})) {
        assert.ok(attributes.includes(name), name)
        if (name === 'href' || name === 'src') assert.match(value, addresses)
      }
      check(n.children, text)
    }
  }
}

/** Draws it at once and as it grows, looks at every element, and that both ends are one. @param {string} text @param {number} [pieces] */
function tryOut(text, pieces = 3) {
  const answer = new AnswerText()
  for (let i = 1; i < pieces; i++) {
    const { blocks, notes } = answer.draw(text.slice(0, Math.floor((text.length * i) / pieces)), true)
    check([...blocks.flatMap((b) => b.nodes), ...notes], text)
  }
  const { blocks, notes } = answer.draw(text, false)
  check([...blocks.flatMap((b) => b.nodes), ...notes], text)
  assert.deepEqual(blocks.filter((b) => b.failed), [], 'a block that threw')
  assert.equal([...blocks.map((b) => serialize(b.nodes, codeToHTML)), serialize(notes, codeToHTML)].filter(Boolean).join('\n'), toHTML(text))
}

const pieces = ['> ', '>', '- ', '1. ', '* ', '\n', '\n\n', '  ', '    ', '\t', '#', '# ', '**', '*', '_', '__', '~~', '~', '`', '```', '~~~', '```js\n', '[', ']', '(', ')', '![', '](', '][', ']: ', '[^', '[^1]', '[^1]: ',
  '<', '>', '<br>', '<sub>', '</sub>', '<sup>', '<kbd>', '<details>', '</details>', '<summary>', '</summary>', '<!--', '-->', '<?', '<![CDATA[', '<a href=', '<script>', '$', '$$', '\\(', '\\)', '\\[', '\\]', '\\', '\\frac{', '}', '^', '|', '|-|', '|a|b|\n|-|-|\n',
  '&', '&amp;', '&#', '&#x41;', 'http://', 'https://a.b/', 'www.', '@', 'a@b.c', 'javascript:', 'x', 'word ', '中', '文。', '：', '“', '”', '（', '）', '😀', '\ud83d', '\u0301', '\u202e', '\u0000', '\ue0ff', '[!NOTE]', '[ ] ', '[x] ', '---', '===', '\r\n', '"', "'", '[a]: https://a.b "', '!', ' ', '.', '5', '0']

// A block in which the next begins, and one that ends where another would go on.
for (const part of ['$$* x\n', '\\[* x\n\\]* x\n', '[^1]: * x\n', '|a|b|\n|-|-|\n---\n', '|a|b|\n|-|-|\n```\n', '|a|b|\n|-|-|\n<ul>\n', '|a|b|\n|-|-|\n$$\n', '>>\n$$', '$$>>\n\\***\n[ ] ```\n', '[x]: http://a\n\\begin{align}>>\n\\end{align}>>\n', '<div>\n</div>\n', '<b>\nx\n</b>\n', '<b> x\n# y\n', '<b>\n\n', '>a\n!\n>>\n    x\n', '><!--\nx\n>>\n    x\n']) {
  test(`64 kB of ${JSON.stringify(part)}`, () => {
    const whole = leastCost(() => { toHTML(part.repeat(64 * KB / part.length)) })
    assertWithin(whole, LONGEST, 'at once')
  })
}

for (const piece of pieces) {
  test(`64 kB of ${JSON.stringify(piece)}`, () => {
    for (const part of [piece, `a${piece}b `, `${piece}\n`, `- ${piece} x\n> ${piece}\n`]) {
      const text = part.repeat(64 * KB / part.length)
      const whole = leastCost(() => { toHTML(text) })
      assertWithin(whole, LONGEST, JSON.stringify(part))
      // The frame in which the last piece comes.
      const answer = new AnswerText()
      answer.draw(text, true)
      let end = ''
      const frame = leastCost(() => { answer.draw(text + (end += part), true) })
      assertWithin(frame, LONGEST, `a frame of ${JSON.stringify(part)}`)
      tryOut(part.repeat(2 * KB / part.length), 3)
    }
  })
}

const nest = (/** @type {number} */ depth, /** @type {(i: number) => string} */ line) => Array.from({ length: depth }, (_, i) => line(i)).join('')
for (const [name, text] of /** @type {[string, string][]} */ ([
  ['10,000 quotes in quotes', '> '.repeat(10_000) + 'x'],
  ['quotes, each deeper', nest(300, (i) => `${'> '.repeat(i)}x\n`)],
  ['a list of 1,000 levels', nest(1000, (i) => `${' '.repeat(i * 2)}- a\n`)],
  ['lists and quotes in turn', '- > '.repeat(3000) + 'x'],
  ['details in details', '<details>\n'.repeat(5000) + 'x'],
  ['details with summaries', '<details><summary>a</summary>\n\n'.repeat(2000) + '</details>'.repeat(2000)],
  ['a line of 1 MB', 'word '.repeat(200_000)],
  ['a line of 1 MB without a space', 'x'.repeat(1_000_000)],
  ['a line of 1 MB of Chinese', '中文。'.repeat(330_000)],
  ['a line of 1 MB of marks', '**a** _b_ `c` [d](e) '.repeat(50_000)],
  ['1 MB of code', '```js\n' + 'let a = 1\n'.repeat(100_000) + '```'],
  ['1 MB of an open fence', '```\n' + 'x\n'.repeat(500_000)],
  ['a table of 10,000 columns', `|${'a|'.repeat(10_000)}\n|${'-|'.repeat(10_000)}\n|x|`],
  ['a table of many short rows', `|${'a|'.repeat(60)}\n|${'-|'.repeat(60)}\n${'|x|\n'.repeat(20_000)}`],
  ['64 kB of short rows', `|${'a|'.repeat(60)}\n|${'-|'.repeat(60)}\n${'|x\n'.repeat(21_000)}`],
  ['10,000 definitions', nest(10_000, (i) => `[a${i}]: https://a.b/${i}\n`) + nest(1000, (i) => `[a${i}] `)],
  ['10,000 footnotes', nest(5000, (i) => `x[^${i}] `) + '\n\n' + nest(5000, (i) => `[^${i}]: n\n`)],
  ['footnotes in themselves', '[^1]\n\n[^1]: a[^2] [^1]\n[^2]: b[^1]'],
  ['names of objects', '[__proto__] [constructor][] [^toString] x[^__proto__]\n\n[__proto__]: https://a.b\n[constructor]: https://a.b\n[^__proto__]: n\n[^toString]: n'],
  ['links in links', '['.repeat(2000) + 'x' + '](https://a.b)'.repeat(2000)],
  ['emphasis in emphasis', '*a **b '.repeat(3000) + '** *'.repeat(3000)],
])) {
  test(`${name} is drawn, and nothing of it is lost`, () => {
    const ms = cost(() => tryOut(text))
    // It is drawn four times, of up to 1 MB each.
    assertWithin(ms, 8000 * Math.max(1, text.length / 1_000_000), name)
    const letters = (/** @type {string} */ s) => s.match(/[xa中]/g)?.length ?? 0
    const { blocks } = new AnswerText().draw(text, false)
    if (/line|quotes|list|code|fence/.test(name)) assert.ok(letters(blocks.map((b) => wordsOf(b.nodes)).join('')) >= letters(text) - 1)
  })
}

test('attacks in every construct stay inert', () => {
  for (const attack of attacks) {
    for (const place of places) {
      const text = place(attack)
      tryOut(text, Math.min(text.length, 12))
      const html = toHTML(text)
      for (const [, name] of html.matchAll(/<\/?([A-Za-z][\w-]*)/g)) assert.ok(tags.includes(name), `${name} of ${text}`)
      for (const [tag] of html.matchAll(/<[A-Za-z][^>]*>/g)) assert.doesNotMatch(tag.replace(/="[^"]*"/g, ''), /\son|style|srcdoc/i, text)
      assert.doesNotMatch(html, /(?:href|src)="(?!https?:|mailto:|data:image\/(?:png|jpeg|gif|webp);)/i, text)
    }
  }
})

test('what chance writes is drawn', () => {
  let seed = Number(process.env.FUZZ_SEED ?? (process.env.FUZZ_SECONDS ? Date.now() : 7)) >>> 0
  const chance = (/** @type {number} */ n) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
    return Math.floor((seed / 2 ** 32) * n)
  }
  const spent = () => (process.cpuUsage().user + process.cpuUsage().system) / 1e6
  const until = spent() + Number(process.env.FUZZ_SECONDS ?? 0)
  for (let n = 0; n < 1500 || spent() < until; n++) {
    const few = Array.from({ length: 1 + chance(6) }, () => pieces[chance(pieces.length)])
    let text = ''
    for (let i = chance(60); i >= 0; i--) text += chance(3) ? few[chance(few.length)] : pieces[chance(pieces.length)]
    // What a rule reads on for in vain shows where the same few come again and again.
    if (chance(40) === 0) text = few.join('')
    if (chance(40) === 0 || (text.length < 60 && chance(4) === 0)) text = text.repeat(1 + 64 * KB / (text.length + 1)).slice(0, 64 * KB)
    try {
      const ms = leastCost(() => { toHTML(text) })
      assertWithin(ms, LONGEST, 'at once')
      tryOut(text, 1 + chance(text.length > 4000 ? 3 : 20))
    } catch (err) {
      throw new Error(`${err} for ${JSON.stringify(text.length > 2000 ? text.slice(0, 400) : text)} of ${text.length}`, { cause: err })
    }
  }
})
