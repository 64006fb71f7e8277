import test from 'node:test'
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'

/** Parts of the page of which one file has the form and another what it holds. */
const shared = ['code', 'composer-box', 'log-frame']
/** What stands in these is about other files' classes: paper, touch and chosen colours. */
const across = ['print.css', 'touch.css']

test('a class has its rules in one file, so that two parts of the page cannot mean different things by it', () => {
  const folder = new URL('../src/style/', import.meta.url)
  /** @type {Map<string, Set<string>>} */
  const files = new Map()
  for (const name of readdirSync(folder).filter((n) => n.endsWith('.css') && !across.includes(n))) {
    const css = readFileSync(new URL(name, folder), 'utf8').replace(/\/\*[\s\S]*?\*\//g, '')
    for (const [, selectors] of css.matchAll(/([^{}]+)\{/g)) {
      for (const selector of selectors.split(',')) {
        const bare = /^\s*\.([\w-]+)\s*$/.exec(selector)?.[1]
        if (bare) files.set(bare, (files.get(bare) ?? new Set()).add(name))
      }
    }
  }
  assert.ok(files.size > 50, 'the classes were found')
  assert.deepEqual([...files].filter(([, names]) => names.size > 1).map(([name]) => name).sort(), shared)
})
