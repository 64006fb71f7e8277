import test from 'node:test'
import assert from 'node:assert/strict'
import { rawBlocks, Splitter } from '../src/text/blocks.js'
import { decided, decidedBlock } from '../src/text/pending.js'
import { outward, toHTML } from '../src/text/markdown.js'
import { highlighter, languageOf } from '../src/text/languages.js'
import { Parts } from '../src/text/parts.js'
import './bundled.js'

const { render } = await import('../src/text/tex.js')

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
      if (blocks.length > 2) assert.equal((first ??= blocks[0]), blocks[0])
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

// What a reader sees of a text that is not complete.
for (const [got, want] of /** @type {[string, string][]} */ ([
  ['some **bol', '<p>some <strong>bol</strong></p>'], ['some **', '<p>some </p>'], ['`cod', '<p><code>cod</code></p>'], ['a `', '<p>a </p>'],
  ['see [the docs](https://exa', '<p>see the docs</p>'], ['<kbd>a <sub>b', '<p><kbd>a <sub>b</sub></kbd></p>'], ['see [the do', '<p>see </p>'], ['see [the docs](https://e.org/a_(b)', '<p>see the docs</p>'],
  ['a ![alt](http', '<p>a </p>'], ['text\n-', '<p>text</p>'], ['text\n##', '<p>text</p>'], ['- a\n- ', '<ul><li>a</li></ul>'], ['all done.', '<p>all done.</p>'],
  ['~~old', '<p><del>old</del></p>'], ['text [^1', '<p>text </p>'], ['pay $5', '<p>pay </p>'], ['pay $5 now', '<p>pay $5 now</p>'], ['so \\(a_1', '<p>so </p>'],
  ['H<su', '<p>H</p>'], ['H<sub>2', '<p>H<sub>2</sub></p>'], ['a[0] and b[', '<p>a[0] and b</p>'],
])) test(`${JSON.stringify(got)} while it grows`, () => assert.equal(toHTML(got, true), want))

test('a table begins with its second line', () => {
  for (const part of ['| a | b |', '| a | b |\n', '| a | b |\n|', '| a | b |\n|--']) assert.equal(decidedBlock(part), '', part)
  assert.match(toHTML('| a | b |\n|---|---|\n| 1', true), /<th>a<\/th>[^]*<td>1<\/td>/)
})

test('what will not become a mark is shown at once', () => {
  for (const text of ['a * b', '3 < 4 and', 'a_b', 'C:\\temp', 'x [y] z', '`a` [b] c']) assert.equal(decided(text), text)
})

test('raw HTML is text', () => {
  for (const text of ['<img src=x onerror=alert(1)>', 'a <b>c</b>', '<script>x</script>', '<!-- x -->', '<svg/onload=x>', '<details ontoggle=x>a</details>', '<br onclick=x>', '<kbd style=x>k</kbd>']) {
    assert.doesNotMatch(toHTML(text), /<(?!\/?p[ >])/, text)
  }
})

test('only links that lead out in the open are links', () => {
  for (const bad of ['javascript:alert(1)', 'JaVaScRiPt:x', 'data:text/html,x', '/s/x', '#login=x', 'https://e.org/#login=x', 'vbscript:x', 'file:///etc/passwd', 'blob:x']) {
    assert.equal(outward(bad), null, bad)
    assert.doesNotMatch(toHTML(`[x](${bad})`), /<a /, bad)
    assert.doesNotMatch(toHTML(`[x][y]\n\n[y]: ${bad}`), /<a /, bad)
  }
  assert.match(toHTML('[x](https://example.org/?a=1&b="2")'), /^<p><a href="https:\/\/example\.org\/\?a=1&amp;b=%222%22" target="_blank" rel="noopener noreferrer nofollow">x<\/a><\/p>/)
})

test('remote images are links, inline ones images', () => {
  assert.doesNotMatch(toHTML('![x](https://example.org/a.png)'), /<img/)
  assert.match(toHTML('![x](https://example.org/a.png)'), /example\.org/)
  assert.match(toHTML('![x](data:image/png;base64,AAAA)'), /<img src="data:image\/png;base64,AAAA" alt="x">/)
  assert.doesNotMatch(toHTML('![x](data:image/svg+xml;base64,AAAA)'), /<img/)
})

test('lines of a talk, of a log and of a program define nothing', () => {
  assert.equal(toHTML('[Alice]: Hello there\n\nnext'), '<p>[Alice]: Hello there</p>\n<p>next</p>')
  assert.equal(toHTML('[INFO]: ready\n\n[警告]: 磁盘已满。\n\nnext'), '<p>[INFO]: ready</p>\n<p>[警告]: 磁盘已满。</p>\n<p>next</p>')
  const code = '```ts\ninterface A {\n  [key: string]: string\n[x]: https://example.org\n[^1]: note\n}\n```\n\nsee [x] and y[^1]'
  assert.equal(toHTML(code).match(/example\.org/g)?.length, 1)
  assert.match(toHTML(code), /<p>see \[x\] and y\[\^1\]<\/p>$/)
})

test('definitions and footnotes are said where they belong, once', () => {
  const html = toHTML('a[^n], [b][r], c[^n].\n\n[r]: https://example.org/r\n[^n]: The note.\n\n    More of it.\n\nEnd.')
  assert.equal(html.match(/The note\./g)?.length, 1)
  assert.equal(html.match(/data-note="1"/g)?.length, 2)
  assert.match(html, /<a href="https:\/\/example\.org\/r"[^>]*>b<\/a>/)
  assert.ok(html.indexOf('More of it.') > html.indexOf('<p>End.</p>'))
})

for (const [got, want] of /** @type {[string, string][]} */ ([
  ['**注意：**请先', '<strong>注意：</strong>请先'], ['这是**“重点”**内容', '这是<strong>“重点”</strong>内容'], ['在**「甲」**和**（乙）**里', '在<strong>「甲」</strong>和<strong>（乙）</strong>里'],
  ['~~旧（一）。~~新', '<del>旧（一）。</del>新'], ['*强调，*后', '<em>强调，</em>后'], ['***粗斜：***后', '<em><strong>粗斜：</strong></em>后'], ['**a.**中', '<strong>a.</strong>中'], ['日本**「語」**です', '日本<strong>「語」</strong>です'],
  ['1~2天，3~5天', '1~2天，3~5天'], ['2 * 3 * 4', '2 * 3 * 4'], ['a**b**c', 'a<strong>b</strong>c'], ['snake_case_name', 'snake_case_name'], ['**`x`**：y', '<strong><code>x</code></strong>：y'],
])) test(`emphasis in ${got}`, () => assert.equal(toHTML(got), `<p>${want}</p>`))

test('an address ends where Chinese goes on', () => {
  for (const [text, href] of [['见https://example.com/a。然后', 'https://example.com/a'], ['（https://example.com/b）', 'https://example.com/b'], ['https://example.com/c，点击', 'https://example.com/c'], ['打开https://example.com/d然后', 'https://example.com/d']]) {
    assert.match(toHTML(text), new RegExp(`href="${href}"`), text)
  }
})

test('the few tags are drawn, without attributes', () => {
  assert.equal(toHTML('a<br>b<br/>c H<sub>2</sub>O x<sup>2</sup> <kbd>K</kbd>'), '<p>a<br>b<br>c H<sub>2</sub>O x<sup>2</sup> <kbd>K</kbd></p>')
  assert.match(toHTML('| a<br>b |\n|---|\n| c<br>d |'), /<th>a<br>b<\/th>[^]*<td>c<br>d<\/td>/)
  assert.equal(toHTML('<details>\n<summary>S **b**</summary>\n\n- x\n\n```\n</details>\n```\n</details>\n\nend'),
    `<details><summary>S <strong>b</strong></summary><ul><li>x</li></ul>${toHTML('```\n</details>\n```')}</details>\n<p>end</p>`)
})

test('alerts', () => {
  for (const kind of ['NOTE', 'TIP', 'IMPORTANT', 'WARNING', 'CAUTION']) assert.match(toHTML(`> [!${kind}]\n> **x：**y`), new RegExp(`<div class="alert alert-${kind.toLowerCase()}">.*<strong>x：</strong>y`))
  assert.match(toHTML('> [!OTHER]\n> x'), /<blockquote>/)
})

test('formulas survive to the letter', () => {
  for (const tex of ['\\(a_1*b_1\\)', '\\(x \\, y \\\\ z\\)', '$\\alpha_{i}*\\beta_{i}$', '$$a\\\\b$$', '\\[ \\{x\\} \\_ \\]', '$E=mc^2$', '\\( f(x) = \\frac{1}{2} \\)']) {
    const html = toHTML(`so ${tex}, yes`)
    assert.ok(html.includes(`>${tex.replaceAll('&', '&amp;')}</span>`), html)
    assert.match(html, /<span class="math/)
  }
  const table = toHTML('| x | y |\n|---|---|\n| $|a| + P(A\\|B)$ | \\(|x|\\) |\n| $5 | $6 |\n|$|€|')
  assert.match(table, /<td><span class="math">\$\|a\| \+ P\(A\|B\)\$<\/span><\/td><td><span class="math">\\\(\|x\|\\\)<\/span><\/td>/)
  assert.match(table, /<td>\$5<\/td><td>\$6<\/td>[^]*<td>\$<\/td><td>€<\/td>/)
})

test('money is no formula', () => {
  for (const text of ['$5 and $6', 'from $5 to $10.50', '价格从$5到$6不等', 'US$5, US$6', 'a $5–$6 plan', '$1,000 is less than $2,000', 'costs $5/month, or $50/year', '$HOME and $PATH', '\\$5 and \\$6']) {
    assert.doesNotMatch(toHTML(text), /class="math/, text)
  }
  assert.doesNotMatch(toHTML('`$a_1$` and `\\(x\\)`'), /class="math/)
})

test('a formula is drawn, or left as it was written', () => {
  assert.match(render('\\frac{1}{2}', false) ?? '', /<math>?.*<mfrac>/)
  assert.match(render('\\text{当 } x', true) ?? '', /当/)
  for (const tex of ['\\frac{1}{', '\\href{javascript:alert(1)}{x}', '\\includegraphics{x}', '{'.repeat(500) + '}'.repeat(500), 'x'.repeat(10_000), '\\def\\a{\\a\\a}\\a']) {
    assert.doesNotMatch(render(tex, false) ?? '', /href|javascript|<img/, tex.slice(0, 30))
  }
})

test('colours escape, and what has none is left', async () => {
  const js = await highlighter('js')
  assert.match(js?.('let a = "<b>"')?.html ?? '', /&lt;b&gt;/)
  assert.equal(await highlighter('klingon'), null)
  const named = 'bash c cpp c# css dart diff dockerfile go graphql html ini java js json kotlin lua makefile markdown nginx objectivec perl php powershell python r ruby rust scala sql swift toml ts vue xml yaml'.split(' ')
  for (const lang of named) assert.ok(languageOf(lang), lang)
})

test('colours of a program that grows are those of the whole', async () => {
  const js = await highlighter('js')
  assert.ok(js)
  const code = 'const a = `x\n${b}\ny`\n/* one\ntwo */\nfunction f() {\n  return "z"\n}\n'.repeat(5)
  const parts = new Parts()
  let html = ''
  for (let i = 0; i <= code.length; i++) {
    for (let part = parts.next(code.slice(0, i), i === code.length, js); part; part = parts.next(code.slice(0, i), i === code.length, js)) if (part.done) html += part.html
  }
  const flat = (/** @type {string} */ s) => s.replace(/<\/span>(\s*)<span class="hljs-(\w+)">/g, '$1')
  assert.equal(flat(html), flat(js(code)?.html ?? ''))
})
