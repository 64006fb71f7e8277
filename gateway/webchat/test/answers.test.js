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
  '[x]: https://x.org "title of it"\n\n[x]', '[Alice]: hello there', 'T\n===\n\nx', 'T\n---\nx', '- a\n- b\n\n  c\n- [ ] d\n- [x] e', '1. a\n2. b\n   - c', '> a\n> > b\n\nc',
  '> [!NOTE]\n> a\n\nb', '| a | b |\n|:-|-:|\n| 1 | 2 |\n\nx', 'a | b\n--|--\n1 | 2', '- | a |\n  |---|\n  | b |', 'p\n| a |\n|---|\n| 1 |', '```js\na\n```\nb', '- ```\n  a\n  ```\n- b',
  '~~~\na\n~~~\n', '$a_1$ and $5 or $6', '价格$5，$6。', '$$\nx\n$$\ny', 'a \\(x*y\\) b \\[z\\] c', '\\[\na\n\\]\nb', 'x[^1] y[^2]\n\n[^1]: n **o**\n[^2]: p', '<details>\n<summary>s</summary>\n\nb\n</details>\nc',
  'a<br>b H<sub>2</sub>O <kbd>K</kbd>', '<script>a</script> b', '&amp; &copy; &x;', 'https://x.org/a。b www.x.org c@x.org', '<https://x.org> <b@x.org>', '***a*** b', '# a #\n## b', '    code\n\ntext', 'a  \nb\\\nc', '😀 **😀** é',
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

/** The words of a block without what may still be a mark. @param {{nodes: Node[]}} block */
const words = (block) => wordsOf(block.nodes).replace(/[\s[\]*_~]/g, '')

for (const { name, text } of [...answers, ...ends.map((text) => ({ name: JSON.stringify(text), text }))]) {
  test(`${name} grows and never shrinks`, () => {
    const answer = new AnswerText()
    /** @type {string[]} */
    let before = []
    const settled = new Map()
    for (let i = 1; i <= text.length; i++) {
      const { blocks } = draw(answer, text.slice(0, i), true)
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
    assert.equal(draw(answer, text, false).html, toHTML(text))
  })

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
