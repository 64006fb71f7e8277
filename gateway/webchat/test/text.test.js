import test from 'node:test'
import assert from 'node:assert/strict'
import { rawBlocks, definitions, Splitter } from '../src/text/blocks.js'
import { mend } from '../src/text/mend.js'
import { outward, toHTML } from '../src/text/markdown.js'
import { highlight } from '../src/text/languages.js'

const sample = '# T\n\npara one\nmore\n\n- a\n- b\n\n  still b\n\n```js\nlet x\n\n# not a title\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n> quote\n\n[ref]: https://example.org\n\nend\n'

test('blocks join to the text', () => {
  for (let i = 0; i <= sample.length; i++) assert.equal(rawBlocks(sample.slice(0, i)).join(''), sample.slice(0, i))
})

test('a text that grows gives the blocks of the whole, and settled ones stay the same objects', () => {
  for (const step of [1, 3, 11]) {
    const splitter = new Splitter()
    let first
    for (let i = 0; i < sample.length; i += step) {
      const blocks = splitter.split(sample.slice(0, i + step), true)
      if (blocks.length > 1) assert.equal((first ??= blocks[0]), blocks[0])
      assert.equal(blocks.map((b) => b.raw).join(''), sample.slice(0, i + step))
    }
    assert.deepEqual(splitter.split(sample, false).map((b) => b.raw), rawBlocks(sample))
  }
})

test('another text starts anew', () => {
  const splitter = new Splitter()
  splitter.split('one\n\ntwo', true)
  assert.deepEqual(splitter.split('new', false), [{ raw: 'new', open: false }])
})

test('link definitions are found', () => assert.equal(definitions(sample), '[ref]: https://example.org'))

for (const [got, want] of [
  ['some **bol', 'some **bol**'], ['some **', 'some '], ['`cod', '`cod`'], ['a `', 'a '], ['see [the docs](https://exa', 'see the docs'],
  ['see [the do', 'see the do'], ['![alt](http', ''], ['text\n-', 'text'], ['text\n##', 'text'], ['- a\n- ', '- a'], ['```js\nlet **x', '```js\nlet **x'],
  ['| a | b |', ''], ['| a | b |\n|---', ''], ['all done.', 'all done.'], ['~~old', '~~old~~'],
]) test(`mend ${JSON.stringify(got)}`, () => assert.equal(mend(got), want))

test('raw HTML is text', () => {
  for (const text of ['<img src=x onerror=alert(1)>', 'a <b>c</b>', '<script>x</script>', '<!-- x -->', '<svg/onload=x>']) {
    assert.doesNotMatch(toHTML(text), /<(?!\/?p>)/, text)
  }
})

test('only links that lead out in the open are links', () => {
  for (const bad of ['javascript:alert(1)', 'JaVaScRiPt:x', 'data:text/html,x', '/s/x', '#login=x', 'https://e.org/#login=x', 'vbscript:x', 'file:///etc/passwd', 'blob:x']) {
    assert.equal(outward(bad), null, bad)
    assert.doesNotMatch(toHTML(`[x](${bad})`), /<a /, bad)
  }
  assert.match(toHTML('[x](https://example.org/?a=1&b="2")'), /^<p><a href="https:\/\/example\.org\/\?a=1&amp;b=%222%22" target="_blank" rel="noopener noreferrer nofollow">x<\/a><\/p>/)
})

test('remote images are links, inline ones images', () => {
  assert.doesNotMatch(toHTML('![x](https://example.org/a.png)'), /<img/)
  assert.match(toHTML('![x](https://example.org/a.png)'), /example\.org/)
  assert.match(toHTML('![x](data:image/png;base64,AAAA)'), /<img src="data:image\/png;base64,AAAA" alt="x">/)
  assert.doesNotMatch(toHTML('![x](data:image/svg+xml;base64,AAAA)'), /<img/)
})

test('highlighting escapes, and leaves what it does not know', () => {
  assert.match(highlight('js', 'let a = "<b>"') ?? '', /&lt;b&gt;/)
  assert.equal(highlight('klingon', 'x'), null)
})
