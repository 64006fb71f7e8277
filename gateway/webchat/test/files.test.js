import test from 'node:test'
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { blamed, fileSize, kindOf, pastesFiles, roomFor } from '../src/chat/attachment.js'
import { inTurn } from '../src/app/turns.js'
import { findSent, sha256 } from '../src/app/workfiles.js'
import { folded, folderOf, numbered, safeName } from '../src/chat/filename.js'
import { lookAt } from '../src/chat/filekind.js'
import { f, problemText } from '../src/i18n/files.js'
import { faultOf } from '../src/wire/fault.js'
import { files as english } from '../src/i18n/files.en.js'
import { files as chinese } from '../src/i18n/files.zh.js'

/** What the server asks of a segment of a path (agent/files): every rule, for any name. @param {string} name */
function taken(name) {
  const bytes = new TextEncoder().encode(name).length
  assert.ok(name.length > 0 && bytes <= 255, `${bytes} bytes: ${name}`)
  assert.doesNotMatch(name, /\p{Cs}/u)
  assert.equal(name, name.normalize('NFC'))
  assert.equal(name, name.trim())
  assert.doesNotMatch(name, /[/\\∕⁄⧸／＼⧵﹨<>:"|?*]/u)
  assert.doesNotMatch(name, /[\p{C}\p{Default_Ignorable_Code_Point}\u2800\uFFFC\uFFFD]|(?! )\p{Z}/u)
  assert.doesNotMatch(name, /(?:^| )[\p{Mn}\p{Me}]|[\p{Mn}\p{Me}]{5}/u)
  assert.notEqual(name.normalize('NFKC').replaceAll('.', ''), '')
  assert.doesNotMatch(name, /^[-~]|[. ]$/)
  assert.doesNotMatch(name, /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i)
  const key = [...name].reduce((n, c) => n + (/[A-Za-z0-9.-]/.test(c) ? 1 : c <= '\xff' ? 3 : c.length === 1 ? 6 : 8), 0)
  assert.ok(key <= 560, `a key of ${key}`)
}

for (const [name, want] of /** @type {[string, string][]} */ ([
  ['photo.png', 'photo.png'],
  ['年度报告（终稿）.pdf', '年度报告（终稿）.pdf'],
  ['🐻💪.png', '🐻💪.png'],
  ['100% #1 & co?.txt', '100% #1 & co_.txt'],
  ['../../etc/passwd', '.._.._etc_passwd'],
  ['..\\..\\boot.ini', '.._.._boot.ini'],
  ['C:\\notes.txt', 'C__notes.txt'],
  ['a∕b⁄c／d.txt', 'a_b_c_d.txt'],
  ['invoice\u202Egnp.exe', 'invoicegnp.exe'],
  ['a\u200B\u2060\u00ADb\uFEFF.txt', 'ab.txt'],
  ['a\u0000b\u0007\n\tc.txt', 'ab c.txt'],
  ['wide\u3000and\u00a0blank.txt', 'wide and blank.txt'],
  ['  spaces .txt. . ', 'spaces.txt'],
  ['', 'file'], ['.', 'file'], ['..', 'file'], ['…', 'file'], ['\u202e', 'file'], ['   ', 'file'], ['/', 'file_'],
  ['-rf', '_-rf'], ['~root', '_~root'],
  ['CON', '_CON'], ['nul.txt', '_nul.txt'], ['com1.log', '_com1.log'], ['console.log', 'console.log'],
  ['.env', '.env'],
  ['e\u0301te\u0301.txt', 'été.txt'],
  ['\u0301\u0301a.txt', 'a.txt'],
  ['Z\u0300\u0301\u0302\u0303\u0304\u0305\u0306.txt', 'Z\u0300\u0301\u0302\u0303.txt'],
  ['half\uD83D.txt', 'half_.txt'],
  ['👨‍👩‍👧.png', '👨👩👧.png'],
  ['<img src=x onerror=alert(1)>.svg', '_img src=x onerror=alert(1)_.svg'],
])) {
  test(`a name is made safe: ${JSON.stringify(name)}`, () => {
    assert.equal(safeName(name), want.normalize('NFC'))
    taken(safeName(name))
    assert.equal(safeName(safeName(name)), safeName(name), 'a safe name stays as it is')
  })
}

test('a long name is cut before its ending, and between characters', () => {
  for (const c of ['a', '长', '🐻', 'é', '%', '_']) {
    const out = safeName(c.repeat(5000) + '.docx')
    taken(out)
    assert.match(out, /\.docx$/)
    assert.ok(out.length > 30, out)
    taken(numbered(out, new Set([folded(out)])))
  }
  taken(safeName('x.' + 'y'.repeat(3000)))
  taken(safeName('.'.repeat(3000)))
})

test('whatever a name is made of, what comes out is taken by the server', () => {
  const pieces = ['a', '.', ' ', '/', '\\', '-', '~', '长', '🐻', '\u202e', '\u0301', '\u200d', '\ufe0f', '\u3000', '…', '％', '\ud83d', 'CON', '.txt', '\u2800', '\u{1D159}', '\uFFFD', '\u115f', '\ue000', '\uffff', '\u{e0001}', ':', '？']
  let seed = 7
  const pick = (/** @type {number} */ n) => (seed = (seed * 1103515245 + 12345) % 2147483648) % n
  for (let i = 0; i < 20_000; i++) {
    let name = ''
    for (let n = pick(12); n >= 0; n--) name += pieces[pick(pieces.length)]
    const out = safeName(name)
    try {
      taken(out)
      assert.equal(safeName(out), out)
    } catch (err) {
      throw new Error(`${JSON.stringify(name)} became ${JSON.stringify(out)}`, { cause: err })
    }
  }
})

test('a name that is taken gets a number, whatever its case', () => {
  const all = new Set(['photo.png', 'photo (2).png', 'straße.txt', 'readme'])
  assert.equal(numbered('other.png', all), 'other.png')
  assert.equal(numbered('Photo.PNG', all), 'Photo (2).PNG'.replace('(2)', '(3)'))
  assert.equal(numbered('README', all), 'README (2)')
  assert.equal(numbered('.env', new Set(['.env'])), '.env (2)')
  assert.equal(folderOf(new Date(2026, 10, 9), 'x7'), 'uploads/2026-11-09-x7')
})

const bytes = (/** @type {string} */ latin1) => Uint8Array.from(latin1, (c) => c.charCodeAt(0))
const u32 = (/** @type {number} */ n) => String.fromCharCode((n >>> 24) & 255, (n >>> 16) & 255, (n >>> 8) & 255, n & 255)
const png = (/** @type {number} */ w, /** @type {number} */ h) => `\x89PNG\r\n\x1a\n${u32(13)}IHDR${u32(w)}${u32(h)}\x08\x06\0\0\0`

for (const [what, body, want] of /** @type {[string, string, any][]} */ ([
  ['nothing', '', { kind: 'text', problem: 'empty' }],
  ['a text', 'hello\tworld\r\n\x1b[31mred', { kind: 'text' }],
  ['a text in GB 18030', '\xc4\xe3\xba\xc3', { kind: 'text' }],
  ['a text in UTF-16', '\xff\xfea\0b\0', { kind: 'text' }],
  ['SVG is text', '<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>', { kind: 'text' }],
  ['HTML is text', '<!doctype html><script>alert(1)</script>', { kind: 'text' }],
  ['a program', '\x7fELF\x02\x01\x01\0\0', { kind: 'other', problem: 'kind' }],
  ['HEIC', '\0\0\0\x18ftypheic\0\0\0\0', { kind: 'other', problem: 'kind' }],
  ['PDF', '%PDF-1.7\n\0\0', { kind: 'pdf', mediaType: 'application/pdf' }],
  ['PNG', png(640, 480), { kind: 'image', mediaType: 'image/png', width: 640, height: 480 }],
  ['a bomb in PNG', png(60000, 60000), { kind: 'image', width: 60000, problem: 'pixels' }],
  ['a PNG that is cut off', '\x89PNG\r\n\x1a\n', { kind: 'image', width: 0 }],
  ['GIF', 'GIF89a\x10\x00\x20\x00', { kind: 'image', width: 16, height: 32 }],
  ['JPEG', '\xff\xd8\xff\xe1\x00\x06Exif\xff\xff\xc2\x00\x11\x08\x00\x64\x00\xc8\x03\0\0', { kind: 'image', mediaType: 'image/jpeg', width: 200, height: 100 }],
  ['a JPEG without an end to its segments', '\xff\xd8\xff\xe0\x00\x00\xff\xe0\x00\x00', { kind: 'image', width: 0 }],
  ['WebP', 'RIFF\x20\0\0\0WEBPVP8 \x0a\0\0\0\0\0\0\x9d\x01\x2a\x40\x00\x30\x00', { kind: 'image', mediaType: 'image/webp', width: 64, height: 48 }],
  ['WebP without loss', 'RIFF\x20\0\0\0WEBPVP8L\x06\0\0\0\x2f\x3f\xc0\x0b\0\0', { kind: 'image', width: 64, height: 48 }],
  ['an animated WebP', 'RIFF\x20\0\0\0WEBPVP8X\x0a\0\0\0\x02\0\0\0\x3f\0\0\x2f\0\0ANIM\x06\0\0\0', { kind: 'image', problem: 'animated' }],
  ['RIFF that is no WebP', 'RIFF\x20\0\0\0WAVE\0', { kind: 'other', problem: 'kind' }],
  ['an archive', 'PK\x03\x04\x14\0a/b.txt', { kind: 'other', problem: 'kind' }],
  ['Word', 'PK\x03\x04\x14\0[Content_Types].xml PK\x03\x04word/document.xml', { kind: 'word' }],
  ['Excel', 'PK\x03\x04\x14\0[Content_Types].xml PK\x03\x04xl/workbook.xml', { kind: 'sheet' }],
  ['PowerPoint', 'PK\x03\x04\x14\0[Content_Types].xml PK\x03\x04ppt/presentation.xml', { kind: 'slides' }],
  ['an old document', '\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 W\0o\0r\0d\0', { kind: 'other', problem: 'legacy' }],
  ['an encrypted document', `\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1${[...'EncryptedPackage'].join('\0')}\0`, { kind: 'other', problem: 'encrypted' }],
])) {
  test(`what a file is, its content says: ${what}`, () => {
    const look = lookAt(bytes(body))
    assert.deepEqual({ ...look, ...want }, look)
    if (!('problem' in want)) assert.equal(look.problem, undefined)
  })
}

test('a picture of text in a clipboard is text; a copied file or image is a file', () => {
  assert.equal(pastesFiles(['text/plain'], 'hello', 0), false)
  assert.equal(pastesFiles(['text/plain', 'text/html', 'Files'], 'a\tb', 1), false)
  assert.equal(pastesFiles(['text/html', 'Files'], '', 1), true)
  assert.equal(pastesFiles(['Files'], '', 1), true)
  assert.equal(pastesFiles(['text/plain', 'Files'], 'photo.png', 1), true)
})

test('which file an error is about', () => {
  const at = (/** @type {string} */ path) => /** @type {any} */ ({ path, id: path })
  const files = [at('uploads/d/a.txt'), at('uploads/d/a.txt.bin')]
  assert.equal(blamed({ code: 'unsupported_media', error: 'attachments[1]: "x" is nothing that can be read' }, files)?.path, 'uploads/d/a.txt.bin')
  assert.equal(blamed({ code: 'not_found', error: 'there is no uploads/d/a.txt.bin in the workspace' }, files)?.path, 'uploads/d/a.txt.bin')
  assert.equal(blamed({ code: 'not_found', error: 'there is no uploads/d/a.txt in the workspace' }, files)?.path, 'uploads/d/a.txt')
  assert.equal(blamed({ code: 'not_found', error: 'no such session' }, files), undefined)
  assert.equal(blamed({ code: 'internal', error: 'attachments[0]' }, files), undefined)
  assert.equal(blamed({ code: 'too_large', error: 'attachments[7]' }, files), undefined)
  assert.equal(roomFor(files), 14)
})

test('sizes and kinds as people read them', () => {
  assert.deepEqual([0, 999, 1500, 20_000, 8 << 20].map(fileSize), ['0 B', '999 B', '1.5 KiB', '20 KiB', '8.0 MiB'])
  assert.deepEqual(['image/webp', 'application/pdf', 'text/plain', 'application/zip', 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'].map(kindOf), ['image', 'pdf', 'text', 'other', 'sheet'])
})

test('words about files are in both languages, with the same places to fill, and all are used', () => {
  const root = new URL('../src/', import.meta.url)
  const code = readdirSync(root, { recursive: true }).filter((file) => /^(app|ui|chat|i18n).*\.js$/.test(String(file))).map((file) => readFileSync(new URL(String(file), root), 'utf8')).join('\n')
  const { words, problems } = english
  assert.deepEqual([Object.keys(chinese.words), Object.keys(chinese.problems)], [Object.keys(words), Object.keys(problems)])
  const inChinese = Object.entries({ ...chinese.words, ...chinese.problems })
  for (const [i, [key, en]] of Object.entries({ ...words, ...problems }).entries()) {
    const [, zh] = inChinese[i]
    assert.deepEqual([...en.matchAll(/\{\w+\}/g)].map(String).sort(), [...zh.matchAll(/\{\w+\}/g)].map(String).sort(), key)
    assert.match(zh, /\p{Script=Han}/u, key)
    assert.doesNotMatch(zh.replace(/\{\w+\}/g, ''), /[A-Za-z]{3,}/, key)
    if (key in words) assert.match(code, new RegExp(`'${key}'`), key)
  }
})

test('every reason of the agent for a file without a view has its words', () => {
  const go = (/** @type {string} */ name) => readFileSync(new URL(`../../../agent/attach/${name}`, import.meta.url), 'utf8')
  const said = ['view.go', 'office.go', 'image.go', 'pdf.go', 'reader.go'].map(go).join('\n')
  const reasons = [...said.matchAll(/(?:problem\w+\s+= |problem\(|errors\.New\()"(it [^"]+)"/g)].map((m) => m[1])
  assert.ok(reasons.length >= 10, 'the reasons were not found')
  for (const reason of reasons) {
    const text = reason.replace('%d × %d', '9000 × 9000')
    assert.ok(text in english.problems || /9000/.test(problemText(text).replace(text, '')), reason)
  }
  assert.match(problemText('it is haunted'), /it is haunted$/)
  assert.match(problemText('constructor'), /constructor$/)
  assert.equal(f('uploading', { n: 40 }), 'uploading, 40 %')
})

test('work in turn: never more at once than there may be, and what fails makes room', async () => {
  const turn = inTurn(2)
  let [going, most] = [0, 0]
  /** @type {number[]} */
  const order = []
  /** @param {number} n */
  const one = (n) => turn(async () => {
    most = Math.max(most, ++going)
    order.push(n)
    await new Promise((resolve) => { setTimeout(resolve, 1) })
    going--
    if (n % 3 === 0) throw new Error('it failed')
    // Comes in the moment in which a place is handed on.
    if (n < 10) queueMicrotask(() => { all.push(one(n + 10)) })
  })
  const all = [0, 1, 2, 3, 4, 5].map(one)
  for (let i = 0; i < all.length; i++) await all[i].catch(() => {})
  assert.equal(most, 2)
  assert.deepEqual(order, [0, 1, 2, 3, 4, 5, 11, 12, 14, 15])
})

test('a file that was sent is said to be another one or gone only where the session has lost it', async (t) => {
  const sent = new Blob(['as it was'])
  const file = { path: 'a.txt', size: sent.size, sha256: await sha256(sent) }
  /** What the session and the workspace answer: a status with a text; 0 is none. @type {[number, string][]} */
  let answers = []
  t.mock.method(globalThis, 'fetch', async (/** @type {string} */ address) => {
    const [status, text] = answers[address.startsWith('/api/sessions/') ? 0 : 1]
    if (!status) throw new TypeError('offline')
    return new Response(text, { status })
  })
  /** @type {[[number, string], [number, string], string][]} */
  const cases = [
    [[200, 'as it was'], [404, ''], 'same'], [[404, ''], [200, 'as it was'], 'same'], [[503, ''], [200, 'as it was'], 'same'], [[200, 'damaged'], [200, 'as it was'], 'same'],
    [[404, ''], [200, 'another'], 'changed'], [[404, ''], [404, ''], 'gone'], [[404, ''], [503, ''], 'away'],
    [[503, ''], [200, 'another'], 'away'], [[0, ''], [404, ''], 'away'], [[429, ''], [400, ''], 'away'],
  ]
  for (const [session, workspace, state] of cases) {
    answers = [session, workspace]
    assert.equal((await findSent(file, 's', undefined)).state, state, `${session} ${workspace}`)
  }
  answers = [[503, ''], [200, '']]
  assert.equal((await findSent({ ...file, path: undefined }, 's')).state, 'away')
})

test('a refusal that is not ours, of a proxy before the server, is known by its status', async () => {
  for (const [status, code] of /** @type {[number, string][]} */ ([[401, 'unauthorized'], [413, 'too_large'], [502, 'internal']])) {
    for (const body of ['<html>no</html>', '"no"', '', null]) {
      const fault = await faultOf(new Response(body, { status, headers: { 'X-Request-Id': 'r1', 'Retry-After': '7' } }))
      assert.deepEqual([fault.code, fault.status, fault.requestId], [code, status, 'r1'], `${status} ${body}`)
    }
  }
})
