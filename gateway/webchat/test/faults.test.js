import test from 'node:test'
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { faults } from '../src/i18n/faults.en.js'
import { faults as chinese } from '../src/i18n/faults.zh.js'

const root = new URL('../../../', import.meta.url)
const listed = (/** @type {string} */ file, /** @type {RegExp} */ pattern) =>
  [...readFileSync(new URL(file, root), 'utf8').matchAll(pattern)].map((m) => m[1]).sort()

test('every code of the server has its words, and no other has', () => {
  const codes = listed('pkg/fault/codes.go', /^\tCode\w+\s+Code = "(\w+)"/gm)
  assert.ok(codes.length > 30, 'the list of codes was not found')
  assert.deepEqual(Object.keys(faults).sort(), codes)
  assert.deepEqual(Object.keys(chinese).sort(), codes)
})

test('the protocol lists the same codes', () => {
  const section = readFileSync(new URL('docs/PROTOCOL.md', root), 'utf8').split('\n## Errors\n')[1].split('\n## ')[0]
  assert.deepEqual([...section.matchAll(/^\| `(\w+)` \| \d{3} \|/gm)].map((m) => m[1]).sort(), Object.keys(faults).sort())
})

test('both languages say what happened and what helps, each in its own script', () => {
  for (const [code, words] of Object.entries(faults)) {
    for (const text of words) assert.match(text, /^[A-Z][\x20-\x7e’“”…]+\.$/, code)
    for (const text of chinese[code]) {
      assert.match(text, /\p{Script=Han}/u, code)
      assert.match(text, /。$/, code)
      assert.doesNotMatch(text, /[A-Za-z]{3,}/, code)
    }
    assert.equal(words.length, 2, code)
    assert.equal(chinese[code].length, 2, code)
  }
})
