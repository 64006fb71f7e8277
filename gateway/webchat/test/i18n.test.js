import test from 'node:test'
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { en } from '../src/i18n/en.js'
import { zh } from '../src/i18n/zh.js'
import { choose } from '../src/i18n/language.js'

const holes = (/** @type {string} */ text) => [...text.matchAll(/\{\w+\}/g)].map(String).sort()

test('both languages have the same keys, no empty word and the same places to fill', () => {
  assert.deepEqual(Object.keys(zh).sort(), Object.keys(en).sort())
  for (const key of /** @type {(keyof typeof en)[]} */ (Object.keys(en))) {
    assert.ok(en[key].trim() && zh[key].trim(), key)
    assert.deepEqual(holes(zh[key]), holes(en[key]), key)
  }
})

test('every word is used somewhere', () => {
  const root = new URL('../src/', import.meta.url)
  const code = readdirSync(root, { recursive: true }).filter((f) => String(f).endsWith('.js') && !/i18n.(en|zh)\.js$/.test(String(f)))
    .map((f) => readFileSync(new URL(String(f), root), 'utf8')).join('\n')
  assert.deepEqual(Object.keys(en).filter((key) => !new RegExp(`'${key}'`).test(code)), [])
})

test('the first language that we speak is chosen', () => {
  assert.equal(choose(['zh-Hans-CN', 'en']), 'zh')
  assert.equal(choose(['de', 'en-US', 'zh']), 'en')
  assert.equal(choose(['fr']), 'en')
  assert.equal(choose([]), 'zh')
})
