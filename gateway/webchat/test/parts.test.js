// What each part of the page shares: how it is fetched, in which words, what becomes
// of a refusal, and how a removal is taken back.

import test from 'node:test'
import assert from 'node:assert/strict'
import { chunk } from '../src/app/chunk.js'
import { removal } from '../src/app/removal.js'
import { phase, requestFault } from '../src/app/account.js'
import { dictionary, language } from '../src/i18n/language.js'
import { Fault } from '../src/wire/fault.js'
import { filePath, getFile } from '../src/wire/api.js'
import { readFile } from '../src/panels/api.js'
import { outward, webAddress, webHost } from '../src/text/links.js'
import { asked, charactersOf } from '../src/text/entities.js'
import { attacks } from './attacks.js'

const settle = () => new Promise((resolve) => { setImmediate(resolve) })

test('a part that cannot be fetched is asked for again by itself, ever less often, and not at each drawing', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let tries = 0
  const part = chunk(() => (++tries < 4 ? Promise.reject(new Error('away')) : Promise.resolve('part')))
  assert.equal(await part.load(), null)
  assert.equal(part.away.value, true)
  for (let i = 0; i < 20; i++) part.want()
  await settle()
  assert.equal(tries, 1)
  t.mock.timers.tick(5000)
  await settle()
  assert.equal(tries, 2)
  t.mock.timers.tick(5000)
  await settle()
  assert.equal(tries, 2, 'the pause grows')
  assert.equal(await part.load(), null, 'who presses is not kept waiting')
  assert.equal(tries, 3)
  t.mock.timers.tick(5000)
  await settle()
  assert.deepEqual([tries, part.here.value, part.away.value], [4, 'part', false])
  assert.equal(await part.load(), 'part')
  assert.equal(tries, 4)
})

test('a part that nobody waits for any more is left alone, and fetched when it is wanted again', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let tries = 0
  const part = chunk(() => Promise.reject(new Error(`try ${++tries}`)), () => false)
  await part.load()
  t.mock.timers.tick(600_000)
  await settle()
  assert.equal(tries, 1)
  part.want()
  await settle()
  assert.equal(tries, 2)
})

test('a removal waits, can be taken back, and is done at once before the next and on request', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  /** @type {[string, boolean][]} */
  const done = []
  const { removing, soon, undo, now } = removal((/** @type {string} */ what, leaving) => { done.push([what, leaving]) })
  soon('a')
  assert.equal(removing.value, 'a')
  assert.equal(undo(), 'a')
  t.mock.timers.tick(60_000)
  assert.deepEqual([removing.value, done], [null, []])
  soon('x')
  t.mock.timers.tick(3000)
  undo()
  soon('b')
  soon('c')
  assert.deepEqual(done, [['b', false]])
  t.mock.timers.tick(5999)
  assert.equal(done.length, 1)
  t.mock.timers.tick(1)
  assert.deepEqual([removing.value, done], [null, [['b', false], ['c', false]]])
  soon('d')
  await now(true)
  await now(true)
  t.mock.timers.tick(60_000)
  assert.deepEqual(done.slice(2), [['d', true]])
})

test('whoever is no longer signed in is asked to, whatever was asked; anything else is only said', () => {
  phase.value = 'in'
  for (const status of [0, 400, 403, 404, 409, 429, 500]) assert.equal(requestFault(new Fault({ code: 'x' }, status)).status, status)
  assert.equal(requestFault(new TypeError('offline')).code, 'network')
  assert.equal(phase.value, 'in')
  assert.equal(requestFault(new Fault({ code: 'unauthorized' }, 401)).status, 401)
  assert.equal(phase.value, 'out')
})

test('a reader fetches the words of one language, and has those of the other before they are switched', async (t) => {
  t.after(() => { language.value = 'en' })
  language.value = 'en'
  /** @type {string[]} */
  const fetched = []
  /** @type {() => void} */
  let arrive = () => {}
  const words = dictionary({
    en: async () => { fetched.push('en'); await new Promise((resolve) => { arrive = () => resolve(undefined) }); return 'hello' },
    zh: async () => { fetched.push('zh'); return '你好' },
  })
  const loading = words.load()
  assert.deepEqual([fetched, words.words()], [['en'], undefined])
  language.value = 'zh' // while the first is on its way
  arrive()
  await loading
  assert.deepEqual([fetched, words.words()], [['en', 'zh'], '你好'])
  language.value = 'en'
  assert.equal(words.words(), 'hello')
  await words.load()
  assert.equal(fetched.length, 2)
})

test('one rule says where a reader may be led', () => {
  for (const good of ['https://a.example/x?y#z', 'http://127.0.0.1:1/a', 'HTTPS://A.example']) {
    assert.ok(webAddress(good), good)
    assert.equal(outward(good)?.href, webAddress(good)?.href)
  }
  for (const bad of ['', 'a.example', 'javascript:alert(1)', 'JAVASCRIPT:alert(1)', '\u0001javascript:alert(1)', 'java\nscript:alert(1)', '//a.example', '/a', 'blob:https://a.example/x', 'vbscript:x', 'file:///etc/passwd', 'data:text/html,x',
    'https://a@b.example', 'https://a:b@b.example', 'https://:b@b.example', 'https://good.example%2f@evil.example', 'https://a.example/#login=x', `https://a.example/${'x'.repeat(9000)}`, ' mailtox:a@b.c']) {
    assert.equal(webAddress(bad), null, bad)
    assert.equal(outward(bad), null, bad)
  }
  for (const bad of [undefined, null, 1, {}, ['https://a.example']]) assert.equal(webAddress(bad), null)
  assert.equal(outward('mailto:a@b.example')?.protocol, 'mailto:')
  assert.equal(webAddress('mailto:a@b.example'), null)
  assert.equal(webHost('https://good.example@evil.example/x')?.host, 'evil.example', 'what hides its host is said by it')
})

test('a path that may lead elsewhere than to a file is not asked for, whoever asks', async (t) => {
  /** @type {string[]} */
  const requests = []
  t.mock.method(globalThis, 'fetch', async (/** @type {string} */ address) => {
    requests.push(address)
    return new Response('text')
  })
  for (const path of ['skills/../../sessions', 'skills/a/../../../x', '/etc/passwd', '', '.', 'a\\b', 'a\0b']) {
    assert.throws(() => filePath(path), { code: 'invalid_request', status: 400 })
    await assert.rejects(getFile(path), { code: 'invalid_request' })
    await assert.rejects(readFile(path), { code: 'invalid_request' })
  }
  assert.deepEqual(requests, [])
  assert.equal(await readFile('skills/my skill/./SKILL.md'), 'text')
  assert.deepEqual(requests, ['/api/files/skills/my%20skill/SKILL.md'])
})

test('the browser is asked for a character by its name, and for nothing else', () => {
  for (const entity of ['&boxh;', '&NotEqualTilde;', '&frac12;']) assert.equal(asked(entity), entity)
  for (const text of [...attacks, '', '&', '&;', 'x&boxh;', '&boxh;<b>', '&boxh;\n', '&#60;img src=x&#62;', '&boxh', '&lt;script&gt;']) assert.equal(asked(text), '', text)
  assert.equal(charactersOf('&copy;'), '©')
})
