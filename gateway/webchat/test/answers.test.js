// Whole answers in the manner of the models, Chinese and English: what is drawn
// of them at the end, and how they come there. UPDATE=1 writes the ends anew.

import test from 'node:test'
import assert from 'node:assert/strict'
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { AnswerText } from '../src/text/answer.js'
import { codeToHTML, toHTML } from '../src/text/markdown.js'
import { serialize, wordsOf } from '../src/text/nodes.js'

/** @typedef {import('../src/text/nodes.js').Node} Node */

const folder = new URL('answers/', import.meta.url)
const names = readdirSync(folder).filter((name) => name.endsWith('.md'))
const answers = names.map((name) => ({ name, text: readFileSync(new URL(name, folder), 'utf8') }))
// Kinds in which the end of the text is easily mistaken, each on its own.
const ends = [
  'a **b', '**注意：**正文', '~~删~~x', '`a` ``b`c``', '[a](https://x.org/(b)) c', '[a [b] c](https://x.org)', '[![i](https://x.org/i.png)](https://x.org) t', 'a[1][2] b',
  '[x]: https://x.org "title of it"\n\n[x]', '[x]: <https://x.org/a b> "title"\n\n[x] y', '[Alice]: hello there', 'T\n===\n\nx', 'T\n---\nx', '- a\n- b\n\n  c\n- [ ] d\n- [x] e', '1. a\n2. b\n   - c', '> a\n> > b\n\nc',
  '> [!NOTE]\n> a\n\nb', '| a | b |\n|:-|-:|\n| 1 | 2 |\n\nx', 'a | b\n--|--\n1 | 2', '- | a |\n  |---|\n  | b |', 'p\n| a |\n|---|\n| 1 |', '`c`|b\n-|-\n1|2', '- a `c` | b\n  -|-\n  1 | 2', '```js\na\n```\nb', '- ```\n  a\n  ```\n- b',
  '~~~\na\n~~~\n', '> ```\n> a\n\n- 1. b', '- ```\n  a\n\nx\n- 1. b\n- - c', '> 1. ~~~\n>    a\n> | b | c |\n> |---|---|', '$a_1$ and $5 or $6', '价格$5，$6。', '$$\nx\n$$\ny', '- $$y$$`c` d', '> $$y$$$ **b**', '- $x$* a', '- x\n  | a | b |\n  |---|---|\n  | 1 | 2 |\n- y\n  | c | d |\n  |---|---|\n', '* a\n<!-- c -->', '- [x] $|x|$ a\n<this', '2. <|a|> b\n1. c', '1. <|a|>\n**b**', '+ a $5<https://x.org> b', '- ```\n  a\n1. b', '- ```\n  a\n<div>b</div>', 'a \\(x*y\\) b \\[z\\] c', '\\[\na\n\\]\nb', '>> \\[a\nb\n> c', '> > $$a\nb\n>\n> c', '- > \\[a\n  b\n- c', '> x\n> \\[a\nb\n\nc', 'x[^1] y[^2]\n\n[^1]: n **o**\n[^2]: p', '<details>\n<summary>s</summary>\n\nb\n</details>\nc',
  'a<br>b H<sub>2</sub>O <kbd>K</kbd>', 'a<br />b<br/>c <BR />d', '<sub>a<sup>b</sup>c</sub> <kbd>a <sub>b</sub></kbd>', '<details open>\n<summary>\n\n**s**\n\n</summary>\n\nb\n</details>\nc', '<think>\na *b*\n</think>\n# c\n', '<div>\na\n\nb\n</div>\nc', '<div>\na\n</div>\n</div>\nb\n\n- <p>\n  a\n  </p>\n  b', '[a](https://u:p@x.org/) b <https://u@x.org>', '<script>a</script> b', '&amp; &copy; &x;', 'https://x.org/a。b www.x.org c@x.org', '<https://x.org> <b@x.org>', '***a*** b', '# a #\n## b', '    code\n\ntext', 'a  \nb\\\nc', '😀 **😀** é',  '- a\n$$\nx\n$$\nb', '> a\n$$\nx\n$$\nb', '> a\n  \\[\nx\n\\]\n> c', '>> a\n[^1]: b [^1]', '> a [^1]\n[^1]: b', '- a\n  $$\n  x\n  $$\n  b', '1. a\n\\begin{align}\nx\n\\end{align}', '- a [^1]\n[^1]: b\n- c', '- a\n<details>\n<summary>s</summary>\n\nb\n</details>', '| a |\n|---|\n| 1 |\n$$\nx\n$$', '| a |\n|---|\n| 1 [^1] |\n[^1]: b', '| a |\n|---|\n| 1 |\n---\nb', '| a |\n|---|\n| 1 |\n```\nb\n```', '>a\n!\n>>\n    x\n',
]

for (const { name, text } of answers) {
  test(`${name} is drawn as it was meant`, () => {
    const golden = new URL(name.replace('.md', '.html'), folder)
    const html = toHTML(text) + '\n'
    if (process.env.UPDATE) writeFileSync(golden, html)
    assert.equal(html, readFileSync(golden, 'utf8'))
  })
}

/** @param {AnswerText} answer @param {string} text @param {boolean} growing */
function draw(answer, text, growing) {
  const { blocks, notes } = answer.draw(text, growing)
  return { blocks, html: [...blocks.map((b) => serialize(b.nodes, codeToHTML)), serialize(notes, codeToHTML)].filter(Boolean).join('\n') }
}

/** The words of a block without what may still be a mark or a tag that is drawn. @param {{nodes: Node[]}} block */
const words = (block) => wordsOf(block.nodes).replace(/<\/?(?:s(?:u[bp]?)?|k(?:bd?)?)?>?|[\s[\]*_~`]/gi, '')

/** Draws it letter by letter: no block ever loses a word of what it showed, and what is complete is left alone. @param {string} text */
function grows(text) {
  const answer = new AnswerText()
  /** @type {string[]} */
  let before = []
  const settled = new Map()
  for (let i = 1; i <= text.length; i++) {
    const { blocks } = answer.draw(text.slice(0, i), true)
    const now = blocks.map(words)
    before.forEach((was, k) => assert.ok((now[k] ?? '').startsWith(was), `block ${k} at ${JSON.stringify(text.slice(0, i).slice(-40))} was ${JSON.stringify(was)} is ${JSON.stringify(now[k])}`))
    before = now
    // What was complete is the same object again, unless a definition came that it waits for.
    answer.splitter.settled.forEach((_, k) => {
      const known = settled.get(k)
      if (known?.known === blocks[k].known) assert.equal(known, blocks[k])
      settled.set(k, blocks[k])
    })
  }
  return answer
}

for (const { name, text } of [...answers, ...ends.map((text) => ({ name: JSON.stringify(text), text }))]) {
  test(`${name} grows and never shrinks`, () => assert.equal(draw(grows(text), text, false).html, toHTML(text)))

  test(`${name} in two pieces, cut anywhere, is the same`, () => {
    const want = toHTML(text)
    const step = text.length > 400 ? 7 : 1
    for (let i = 0; i <= text.length; i += step) {
      const answer = new AnswerText()
      draw(answer, text.slice(0, i), true)
      draw(answer, text, true)
      assert.equal(draw(answer, text, false).html, want, `cut at ${i}`)
    }
  })
}

// What answers are made of, each complete, put together by chance.
const phrases = ['**注意：**请先', '这是**“重点”**内容', '用 `code` 看', 'a_b 与 c_d', '[链接](https://x.org/a)', '设 $x^2$ 为', '花 $5', '即 \\(a+b\\)', '第一行<br>第二行', 'H<sub>2</sub>O', '~~删~~', '*斜*字', '***粗斜***', '见https://a.b/c。', '参见[r]', 'a@b.cn', 'A &amp; B', '按 <kbd>K</kbd>',
  'word and more', '中文，', '“引”', 'x = 1', '5 < 6', 'C:\\x', '真的！', '（见 [文](https://x.org)）', 'arr[0]', 'f(x)', '**Note:** use', 'a * b * c', '2 ** 3', '__init__', '*.js', '~5分钟', '$HOME/bin', '![图](https://x.org/i.png)', '**“甲”**、**“乙”**', '``a`b``', '<div>', 'a|b', '\\*x\\*', '[1]', '-1', '> 5']
const beginnings = ['', '', '', '# ', '## ', '- ', '1. ', '2. ', '   - ', '> ', '> - ', '- [ ] ', '> [!TIP]\n> ']
const wholes = ['```py\nprint(1)\n```', '| a | b |\n|---|---|\n| **1：** | `2` |\n| x | y |', '$$\nx^2\n$$', '\\[\nx\n\\]', '---', '[^1]: 注释', '[r]: https://x.org/r', '<details>\n<summary>更多</summary>\n\n内容\n\n</details>', '标题\n===', '    indented', '- a\n- b\n\n  c', '1. a\n\n   ```sh\n   ls\n   ```\n2. b', '> [!NOTE]\n> **x：**y']

test('answers of complete parts grow and never shrink, whatever follows what', () => {
  let seed = Number(process.env.FUZZ_SEED ?? (process.env.FUZZ_SECONDS ? Date.now() : 9)) >>> 0
  const chance = (/** @type {number} */ n) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
    return Math.floor((seed / 2 ** 32) * n)
  }
  const one = (/** @type {string[]} */ of) => of[chance(of.length)]
  for (let n = process.env.FUZZ_SECONDS ? 20_000 : 400; n > 0; n--) {
    let text = ''
    for (let blocks = 1 + chance(6); blocks > 0; blocks--) {
      text += chance(3) ? one(beginnings) + Array.from({ length: 1 + chance(4) }, () => one(phrases) + one(['', ' '])).join('') : one(wholes)
      text += '\n\n'
    }
    grows(text)
    const answer = new AnswerText()
    for (let at = 0; at < text.length; at += 1 + chance(20)) draw(answer, text.slice(0, at), true)
    assert.equal(draw(answer, text, false).html, toHTML(text))
  }
})

test('what was read as a row that grows is read again when it is the end of an item only', () => {
  for (const text of ['- x\n  | a | b |\n  |---|---|\n  | 1 | 2 |\n`a|b` z\n- y\n', '> | a | b |\n> |---|---|\n> | `1|2` | 3 |\n\nx']) {
    const answer = new AnswerText()
    for (let i = 1; i <= text.length; i++) draw(answer, text.slice(0, i), true)
    assert.equal(draw(answer, text, false).html, toHTML(text))
  }
})

test('nothing is said twice', () => {
  for (const { name, text } of answers) {
    const html = toHTML(text)
    for (const line of text.split('\n').filter((l) => /\p{L}{4}/u.test(l))) {
      const word = /[\p{L}]{4,}/u.exec(line)?.[0] ?? ''
      const times = (/** @type {string} */ s) => s.split(word).length - 1
      assert.ok(times(html.replace(/<[^>]*>/g, '')) <= times(text) + 1, `${name}: ${word}`)
    }
  }
})
