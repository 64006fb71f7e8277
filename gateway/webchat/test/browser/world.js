// A real Chromium and the stub, for one test.

import test from 'node:test'
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { chromium } from 'playwright-core'
import { Stub } from './server.js'
import { Slow } from '../speed.js'

/** @typedef {import('playwright-core').Page} Page */
/** @typedef {{page: Page, stub: Stub, errors: string[], foreign: string[], open: (path?: string) => Promise<void>, tab: () => Promise<Page>}} World */

/** @type {import('playwright-core').Browser} */
let browser

test.before(async () => {
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  })
})
test.after(() => browser?.close())

/** How long, in ms, anything that a scene waits for may take: who sees it come waits no longer, and a busy machine has been seen to take 8 s for a page. */
const PATIENCE = 30_000

/**
 * A test that also fails when the page logs an error, breaks its policy or asks
 * a stranger. `expected` are console errors that the test provokes. Where it measures
 * and was too slow, it is begun anew up to twice.
 * @param {string} name @param {(w: World) => Promise<void>} body
 * @param {{locale?: string, width?: number, height?: number, dark?: boolean, touch?: boolean, expected?: RegExp}} [options] touch: a finger, no pointer that hovers
 */
export function scene(name, body, options = {}) {
  test(name, { timeout: 6 * PATIENCE }, async () => {
    for (let left = 2; ; left--) {
      try {
        return await once(body, options)
      } catch (err) {
        if (!(err instanceof Slow) || left === 0) throw err
        console.log(`  once more: ${err.message}`)
      }
    }
  })
}

/** @param {(w: World) => Promise<void>} body @param {NonNullable<Parameters<typeof scene>[2]>} options */
async function once(body, options) {
  const stub = await new Stub().start()
  const context = await browser.newContext({
    locale: options.locale ?? 'en-GB', viewport: { width: options.width ?? 1200, height: options.height ?? 800 },
    colorScheme: options.dark ? 'dark' : 'light', reducedMotion: 'reduce',
    hasTouch: options.touch, isMobile: options.touch,
  })
  context.setDefaultTimeout(PATIENCE)
  /** @type {string[]} */
  const errors = []
  /** @type {string[]} */
  const foreign = []
  const tab = async () => {
    const page = await context.newPage()
    page.on('pageerror', (e) => errors.push(String(e)))
    // A file that is about to be written need not be there yet: the browser tells of that answer, too.
    page.on('console', (m) => { if (m.type() === 'error' && !options.expected?.test(m.text()) && !/\/api\/files\//.test(m.location().url)) errors.push(m.text()) })
    page.on('request', (r) => { if (!r.url().startsWith(stub.url ?? '') && !/^(data|blob):/.test(r.url())) foreign.push(r.url()) })
    return page
  }
  try {
    const page = await tab()
    await body({ page, stub, errors, foreign, tab, open: async (path = '/') => { await page.goto(stub.url + path) } })
    assert.deepEqual(errors, [], 'the page logged errors')
    assert.deepEqual(foreign, [], 'the page asked a stranger')
  } finally {
    await context.close()
    await stub.stop()
  }
}

/** @param {Page} page @param {string} text */
export async function send(page, text) {
  await page.getByRole('textbox', { name: /Message|消息/ }).fill(text)
  await page.keyboard.press('Enter')
}

/** A long text at once, as a clipboard gives it: fill() would type it line by line. @param {Page} page @param {string} text */
export async function paste(page, text) {
  await page.getByRole('textbox', { name: /Message|消息/ }).evaluate((el, value) => {
    const area = /** @type {HTMLTextAreaElement} */ (el)
    area.focus()
    area.value = value
    area.dispatchEvent(new Event('input', { bubbles: true }))
  }, text)
}

/** Waits until the stub knows the session that the page is in. @param {World} w @returns {Promise<import('./conversation.js').Conversation>} */
export async function conversation({ stub }) {
  await until(() => [...stub.conversations.values()].at(-1)?.run)
  return /** @type {any} */ ([...stub.conversations.values()].at(-1))
}

/** @param {() => unknown} ask */
export async function until(ask) {
  for (const end = performance.now() + PATIENCE; performance.now() < end;) {
    if (await ask()) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error(`this never came true: ${ask}`)
}

/**
 * Waits until what stands somewhere reads as expected: a click has no answer at once.
 * @param {import('playwright-core').Locator} place
 * @param {RegExp} pattern
 */
export async function says(place, pattern) {
  let seen = ''
  for (const end = performance.now() + PATIENCE; performance.now() < end;) {
    seen = await place.innerText()
    if (pattern.test(seen)) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  assert.match(seen, pattern)
}

/** Screenshots for people: SHOTS=folder. @param {Page} page @param {string} name */
export async function shot(page, name) {
  if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/${name}.png` })
}

/** What axe finds on the page as it stands. @param {Page} page @returns {Promise<string[]>} */
export async function axe(page) {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(await axeSource)
  return page.evaluate(async () => (await /** @type {any} */ (window).axe.run()).violations.map((/** @type {any} */ v) =>
    `${v.id}: ${v.nodes.map((/** @type {any} */ n) => n.target + ' ' + n.failureSummary).join('; ')}`))
}
const axeSource = readFile(new URL('../../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8')

/** Where the focus is, as a person would name it. @param {Page} page */
export const focused = (page) => page.evaluate(() => {
  const at = document.activeElement
  return at === document.body || !at ? '' : at.getAttribute('aria-label') || at.id || at.textContent?.trim() || at.className
})
