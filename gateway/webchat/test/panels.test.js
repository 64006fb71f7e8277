// What the places that are no conversation decide: how a server stands, what of it
// is shown, what is different about it, and what somebody typed.

import test from 'node:test'
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { placeAt } from '../src/app/route.js'
import { approvable, bodyOf, endingOf, held, hindrance, stateOf, wrongWith } from '../src/panels/standing.js'
import { byTool, compare } from '../src/panels/compare.js'
import { LISTED, parametersOf, PIECE, piecesOf } from '../src/panels/pieces.js'
import { places as english } from '../src/i18n/places.en.js'
import { places as chinese } from '../src/i18n/places.zh.js'
import { webAddress } from '../src/text/links.js'

/** @param {Partial<import('../src/panels/standing.js').Server>} of @returns {import('../src/panels/standing.js').Server} */
const server = (of) => ({ name: 'a', scope: 'user', transport: 'http', state: 'unapproved', hash: 'h1', tools: [], ...of })

test('an address names one place, or none of this page', () => {
  for (const [path, view, name] of [['/', 'chat', ''], ['/s/a%20b', 'chat', 'a b'], ['/tools', 'tools', ''], ['/tools/mine', 'tools', 'mine'], ['/skills/x', 'skill', 'x'], ['/needs-you', 'needs', ''], ['/settings', 'settings', '']]) {
    const place = placeAt(path)
    assert.deepEqual([place.view, place.id || place.part, place.astray], [view, name, false], path)
  }
  for (const path of ['/tools/', '/tools/a/b', '/skills', '/skills/', '/settings/x', '/s/%zz', '/tools/%zz', '//tools', '/Tools', '/needs-you/', '/s/']) assert.ok(placeAt(path).astray, path)
})

test('each state has its words, and one that nobody knows has some, too', () => {
  for (const state of ['connecting', 'unapproved', 'ready', 'changed', 'failed', 'something else', '__proto__', '']) {
    const key = stateOf(server({ state }))
    assert.ok(chinese[key] && english[`${key}Next`], state)
  }
  assert.equal(stateOf(server({ state: 'failed', error: 'e', authorize: true })), 'wantsAuthorization')
})

test('what somebody may not do is told before it fails', () => {
  assert.equal(hindrance(server({}), ['read', 'chat']), '')
  assert.equal(hindrance(server({}), ['read']), 'needsChat')
  assert.equal(hindrance(server({ scope: 'instance' }), ['read', 'chat']), 'needsAdmin')
  assert.equal(hindrance(server({ scope: 'instance' }), ['read', 'chat', 'admin']), '')
  assert.equal(hindrance(server({ scope: 'instance' }), undefined), '')
})

test('definitions that somebody is about to approve stay as they were read', () => {
  const shown = server({ state: 'unapproved' })
  const other = server({ state: 'unapproved', hash: 'h2' })
  assert.equal(held(shown, other), shown)
  assert.equal(held(server({ state: 'changed' }), other).hash, 'h1')
  for (const before of [undefined, server({ state: 'ready' }), server({ state: 'connecting', hash: undefined }), server({ name: 'b' }), server({ scope: 'instance' })]) assert.equal(held(before, other), other)
  const same = server({ state: 'ready' })
  assert.equal(held(shown, same), same)
  assert.ok(approvable(shown) && !approvable(same) && !approvable(server({ hash: '' })) && !approvable(server({ state: 'connecting' })))
})

test('what somebody typed is judged before it is sent', () => {
  const form = (/** @type {any} */ of = {}) => ({ name: 'mine', url: 'https://tools.example/mcp', headers: [], ...of })
  assert.equal(wrongWith(form(), ['other']), null)
  for (const name of ['', 'A', 'a b', 'a/b', '..', 'ä', 'x'.repeat(33)]) assert.equal(wrongWith(form({ name }), [])?.field, 'name', name)
  assert.equal(wrongWith(form(), ['mine'])?.key, 'nameTaken')
  for (const url of ['', 'tools.example', 'javascript:alert(1)', ' javascript:alert(1)', 'data:text/html,x', 'file:///etc/passwd', 'https://a:b@tools.example', 'https://a@tools.example', 'https://']) assert.equal(wrongWith(form({ url }), [])?.field, 'url', url)
  for (const [header, key] of /** @type {const} */ ([[{ name: 'X y', value: 'v' }, 'headerBad'], [{ name: '', value: 'v' }, 'headerBad'], [{ name: 'X', value: '' }, 'headerBad'], [{ name: 'X', value: 'a\nb' }, 'headerBad'], [{ name: 'authorization', value: 'v' }, 'headerTwice']])) {
    assert.deepEqual(wrongWith(form({ headers: [{ name: 'Authorization', value: 'v' }, header] }), []), { field: 'header', key, n: 2 })
  }
  const body = bodyOf(form({ headers: [{ name: ' Authorization ', value: ' Bearer x ' }, { name: '', value: '' }, { name: '__proto__', value: 'v' }] }))
  assert.deepEqual(JSON.parse(JSON.stringify(body)), JSON.parse('{"url":"https://tools.example/mcp","headers":{"Authorization":"Bearer x","__proto__":"v"}}'))
  assert.deepEqual(bodyOf(form()), { url: 'https://tools.example/mcp' })
})

test('an authorization leads to web addresses only, and its end is one of four', () => {
  for (const address of ['https://a.example/x?y', 'http://127.0.0.1:1/a']) assert.ok(webAddress(address), address)
  for (const address of ['', 'javascript:alert(1)', 'JAVASCRIPT:alert(1)', '\u0001javascript:alert(1)', 'java\nscript:alert(1)', '//a.example', '/a', 'blob:https://a.example/x', 'vbscript:x', 'https://a@b.example']) assert.ok(!webAddress(address), address)
  assert.equal(endingOf('?authorization=granted'), 'endGranted')
  for (const search of ['', '?authorization=', '?authorization=constructor', '?authorization=<b>', '?x=granted']) assert.equal(endingOf(search), '', search)
})

test('a long text comes in pieces that lose nothing and cut no character', () => {
  for (const text of ['', 'short', 'word '.repeat(5000), '\u{1F43B}'.repeat(5000), 'x'.repeat(10_000), `${'y'.repeat(4000)}\n${'z'.repeat(9000)}`]) {
    const { pieces, left } = piecesOf(text, 1e6)
    assert.equal(pieces.join(''), text)
    assert.equal(left, 0)
    for (const piece of pieces) assert.ok(piece.length <= PIECE && !/^[\udc00-\udfff]/.test(piece))
  }
  const { pieces, left } = piecesOf('a '.repeat(1e6), 2)
  assert.ok(pieces.length === 2 && left > 1.9e6)
})

test('the parameters of a schema are read whatever it is', () => {
  const { parameters } = parametersOf({ properties: { a: { type: 'string', description: 'd' }, b: { type: ['null', 'number'] }, c: 5, constructor: { description: 7 } }, required: ['a'] })
  assert.deepEqual(parameters, [
    { name: 'a', type: 'string', required: true, description: 'd' }, { name: 'b', type: 'null | number', required: false, description: '' },
    { name: 'c', type: '', required: false, description: '' }, { name: 'constructor', type: '', required: false, description: '' },
  ])
  for (const schema of [undefined, null, 1, 'x', [], {}, { properties: [] }, { properties: 'x', required: 'a' }]) assert.deepEqual(parametersOf(schema), { parameters: [], left: 0 })
  assert.equal(parametersOf({ properties: Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`p${i}`, {}])) }).left, 100 - LISTED)
})

test('two texts are compared word by word, and neither loses anything', () => {
  const { a, b } = compare('Reads a file from the disk.', 'Reads a file from the disk and sends it.')
  assert.deepEqual(b.filter((s) => !s.same).map((s) => s.text.trim()), ['and sends it'])
  assert.deepEqual(a.filter((s) => !s.same), b.some((s) => s.same) ? a.filter((s) => !s.same) : [])
  for (const [x, y] of [['', ''], ['', 'a b'], ['a b', ''], ['读取文件。', '读取并发送文件。'], ['a b c d', 'd c b a'], ['x\u200by', 'xy'], ['  a', 'a  '], ['w '.repeat(5000), 'v '.repeat(5000)]]) {
    const both = compare(x, y)
    assert.equal(both.a.map((s) => s.text).join(''), x)
    assert.equal(both.b.map((s) => s.text).join(''), y)
    assert.equal(both.a.every((s) => s.same) && both.b.every((s) => s.same), x === y)
    assert.deepEqual(both.a.filter((s) => s.same).map((s) => s.text).join(''), both.b.filter((s) => s.same).map((s) => s.text).join(''))
  }
})

test('changes are gathered by tool, with what it is now and was', () => {
  const t = (/** @type {string} */ name, description = '') => ({ name, description, inputSchema: {} })
  const all = byTool([{ tool: 'a', what: 'description', was: t('a', 'old') }, { tool: 'a', what: 'schema', was: t('a', 'old') }, { tool: 'b', what: 'removed', was: t('b') }, { tool: 'c', what: 'added' }], [t('a', 'new'), t('b', 'another of its name'), t('c')])
  assert.deepEqual(all, [
    { tool: 'a', what: ['description', 'schema'], was: t('a', 'old'), now: t('a', 'new') }, { tool: 'b', what: ['removed'], was: t('b'), now: undefined }, { tool: 'c', what: ['added'], was: undefined, now: t('c') },
  ])
})

test('both languages have every word with the same places to fill, and each word is used', () => {
  const holes = (/** @type {string} */ text) => [...text.matchAll(/\{\w+\}/g)].map(String).sort()
  assert.deepEqual(Object.keys(chinese), Object.keys(english))
  for (const [key, en] of Object.entries(english)) {
    const zh = chinese[key]
    assert.ok(en.trim() && /\p{Script=Han}/u.test(zh), key)
    assert.deepEqual(holes(zh), holes(en), key)
  }
  const root = new URL('../src/panels/', import.meta.url)
  const code = readdirSync(root).map((f) => readFileSync(new URL(f, root), 'utf8')).join('\n')
  const made = new Set(['connecting', 'unapproved', 'ready', 'changed', 'failed', 'wantsAuthorization', 'unknownState'].flatMap((k) => [k, `${k}Next`]).concat('added', 'removed', 'description', 'schema'))
  assert.deepEqual(Object.keys(english).filter((key) => !made.has(key) && !code.includes(`'${key}'`)), [])
  assert.deepEqual([...code.matchAll(/\bw\('(\w+)'/g)].map((m) => m[1]).filter((key) => !Object.hasOwn(english, key)), [])
})
