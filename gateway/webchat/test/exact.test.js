import test from 'node:test'
import assert from 'node:assert/strict'
import { exactly } from '../src/chat/exact.js'

const shown = (/** @type {string} */ text) => exactly(text).map((p) => ('text' in p ? p.text : 'word' in p ? `<${p.word}>` : `[${p.escape}]`)).join('')

test('what people write every day is shown as it is', () => {
  for (const text of ['ls -la docs', 'write_file notes/计划.md：第一版（草稿）', 'заметки.md', 'прочти файл и не удаляй', 'αβγ', '🐻‍❄️ ok ❤️ 👍🏽 🇨🇳', 'café naïve', 'cafe\u0301',
    'नमस्ते', 'สวัสดี', '日本語のファイル', '한국어', 'a “quoted” word… done', 'https://例子.中国/路径?x=1#y', 'x², 100 °C, ™', '①②', 'и о с']) assert.equal(shown(text), text)
})

test('every line of it is a line, and says that it ends', () => {
  assert.equal(shown('ls # only lists\nwget -q http://x'), 'ls # only lists[⏎]\nwget -q http://x')
  assert.equal(shown('a\r\nb'), 'a[\\r][⏎]\nb')
  assert.equal(shown('a\n\nb'), 'a[⏎]\n[⏎]\nb')
  assert.equal(shown(`a${'\n'.repeat(3000)}rm -rf`), 'a[⏎×3000]\nrm -rf')
  for (const c of '\u2028\u2029\u0085\v\f') assert.equal(shown(`a${c}b`), `a[\\u{${c.codePointAt(0)?.toString(16).toUpperCase()}}]b`)
})

test('blanks that hide something are shown: several, at an end, and those that are none of the keyboard', () => {
  assert.equal(shown('a   b'), 'a[␠][␠][␠]b')
  assert.equal(shown(`a${' '.repeat(500)}; rm -rf`), 'a[␠×500]; rm -rf')
  assert.equal(shown(' lead and trail  '), '[␠]lead and trail[␠␠]')
  assert.equal(shown('a \nb'), 'a[␠][⏎]\nb')
  assert.equal(shown('a\tb'), 'a[\\t]b')
  for (const c of '\u00a0\u1680\u2000\u2009\u202f\u205f\u3000') assert.match(shown(`rm${c}-rf`), /^rm\[\\u\{[0-9A-F]+\}\]-rf$/)
})

test('what cannot be seen is shown', () => {
  const hidden = ['\u0000', '\u001b', '\u007f', '\u00ad', '\u034f', '\u061c', '\u115f', '\u1160', '\u17b4', '\u180e', '\u200b', '\u200d', '\u200e', '\u202e', '\u2066', '\u2060', '\u2061', '\u2800',
    '\u3164', '\ufe0f', '\ufeff', '\uffa0', '\ufff9', '\ud800', '\u{e0041}', '\u{e0100}', '\u{1d173}', '\ue000', '\u{f0000}', '\u0378', '\uffff']
  for (const c of hidden) assert.match(shown(`a${c}b`), /^a\[\\(u\{[0-9A-F]+\}|0)\]b$/, JSON.stringify(c))
  assert.equal(shown('\u0301x'), '[\\u{301}]x', 'a mark on nothing')
  assert.match(shown(`e${'\u0301'.repeat(9)}`), /\[/, 'a heap of marks')
})

test('what looks like another character is shown', () => {
  const twins = ['p\u0430ypal.com', '\u0430\u0440\u0440\u04cf\u0435.com', 'Ωmega', '\u0391\u0392', 'ｒｍ', '𝐫𝐦', 'ﬁle', 'a\u2215b', 'a\u2044b', '\u2212rf', '\u2013rf', 'co\u2011op', 'a\u2024txt', '\u037e', 'ⅿ', 'ſ', 'ӏs', 'Ꭺ', 'ꓢ']
  for (const text of twins) assert.match(shown(text), /\[\\u\{[0-9A-F]+\}/, text)
})

test('an escape cannot be written, only be one', () => {
  assert.equal(shown('⏎ ␠'), '[\\u{23CE}] [\\u{2420}]')
})

test('words from right to left do not change the order of what stands beside them', () => {
  assert.equal(shown('rm שלום/12 x'), 'rm <שלום>/12 x')
  assert.equal(shown('rm notes\u05d0old'), 'rm notes[\\u{5D0}]old', 'letters of both directions in one word')
})

test('nothing is lost: without the escapes and with their meaning it is the text again', () => {
  let seed = 7
  const next = () => (seed = (seed * 1103515245 + 12345) % 2147483648)
  const signs = ['a', 'b', ' ', '  ', '\n', '\n\n\n\n\n', '\t', 'é', 'e\u0301', '\u0430', 'ж', '\u200b', '字', '，', 'א', '🐻', '\ufe0f', '\u200d', '/', '.', '-', '\ud800', 'ｆ', '⏎', '     ']
  for (let i = 0; i < 3000; i++) {
    const text = Array.from({ length: 1 + (next() % 12) }, () => signs[next() % signs.length]).join('')
    const back = exactly(text).map((p) => {
      if ('text' in p) return p.text.replaceAll('\n', '')
      if ('word' in p) return p.word
      const [, one, times] = /** @type {RegExpExecArray} */ (/^(.+?)(?:×(\d+))?$/.exec(p.escape))
      const hex = /^\\u\{(.+)\}$/.exec(one)
      const meant = hex ? String.fromCodePoint(parseInt(hex[1], 16)) : one.replaceAll('␠', ' ').replace('⏎', '\n').replace('\\t', '\t').replace('\\r', '\r')
      return meant.repeat(Number(times ?? 1))
    }).join('')
    assert.equal(back, text.replace(/\ud800(?![\udc00-\udfff])/g, '\ud800'), JSON.stringify(text))
  }
})
