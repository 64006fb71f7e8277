// Which model answers: shown, chosen for one conversation, and never another than the server has.

import assert from 'node:assert/strict'
import { file, red } from './pictures.js'
import { axe, conversation, scene, send, shot, until } from './world.js'

/** @typedef {import('./world.js').World} World */

const sees = { id: 'glm/glm-4v', provider: 'glm', name: 'glm-4v', default: true, context: 128_000, vision: true }
const blind = { id: 'deepseek/flash', provider: 'deepseek', name: 'flash', default: false, context: 1_000_000, vision: false }
const other = { id: 'x/small', provider: 'x', name: 'small', default: false, context: 0, vision: false }

/** @param {World} w */
const picker = (w) => w.page.getByRole('combobox', { name: /Model|模型/ })
/** What the picker says. @param {World} w */
const shown = (w) => picker(w).evaluate((el) => /** @type {HTMLSelectElement} */ (el).selectedOptions[0]?.textContent)
/** @param {World} w @param {string} id */
function begun(w, id) {
  const c = w.stub.conversation(id)
  c.start({ message: `about ${id}` }, id, () => {})
  c.say(`Answer of ${id}.`)
  return c
}

scene('one model is no choice', async (w) => {
  w.stub.models = [sees]
  await w.open()
  await w.page.locator('#composer').waitFor()
  await until(() => w.stub.requests.includes('GET /api/models'))
  await w.page.waitForTimeout(100)
  assert.equal(await picker(w).count(), 0)
})

for (const [width, locale, label] of /** @type {[number, string, string][]} */ ([[1280, 'en-GB', 'glm-4v · reads images · 128k tokens'], [375, 'zh-CN', 'glm-4v · 能看图片 · 128k 词元']])) {
  scene(`a model for one conversation, by the keyboard: this one only, over a reload, in another tab, ${width} px`, async (w) => {
    w.stub.models = [sees, blind, other]
    const a = begun(w, 'a')
    const b = begun(w, 'b')
    await w.open('/s/a')
    await w.page.getByText('Answer of a.').waitFor()
    assert.equal(await shown(w), label)
    const second = await w.tab()
    await second.goto(`${w.stub.url}/s/a`)
    await second.getByText('Answer of a.').waitFor()
    await picker(w).focus()
    await w.page.keyboard.press('ArrowDown')
    await until(() => a.model === blind.id)
    assert.match(String(await shown(w)), /^flash · 1M/)
    assert.deepEqual(await axe(w.page), [])
    assert.ok(await w.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth))
    await shot(w.page, `model-${width}`)
    await until(() => second.getByRole('combobox').evaluate((el, id) => /** @type {HTMLSelectElement} */ (el).value === id, blind.id))
    await w.page.reload()
    await w.page.getByText('Answer of a.').waitFor()
    await until(async () => /^flash/.test(String(await shown(w))))
    await w.page.goto(`${w.stub.url}/s/b`)
    await w.page.getByText('Answer of b.').waitFor()
    assert.equal(await shown(w), label)
    assert.equal(b.model, '')
    // The default by name is the default, whatever it will be.
    await w.page.goto(`${w.stub.url}/s/a`)
    await until(async () => /^flash/.test(String(await shown(w))))
    await picker(w).selectOption(sees.id)
    await until(() => a.model === '')
  }, { width, locale, height: 800 })
}

scene('a change that the server refuses is taken back, said, and can be tried again', async (w) => {
  w.stub.models = [sees, blind]
  const a = begun(w, 'a')
  await w.open('/s/a')
  await w.page.getByText('Answer of a.').waitFor()
  let closed = true
  w.stub.interfere = (req) => (closed && req.method === 'PATCH' ? [503, { error: 'no', code: 'store_unavailable' }] : undefined)
  await picker(w).selectOption(blind.id)
  await w.page.getByRole('alert').getByText('The model was not changed. The store could not keep this.').waitFor()
  assert.match(String(await shown(w)), /^glm-4v/)
  assert.deepEqual(await axe(w.page), [])
  closed = false
  await w.page.getByRole('alert').getByRole('button', { name: 'Try again' }).click()
  await until(() => a.model === blind.id)
  await until(async () => /^flash/.test(String(await shown(w))))
  assert.equal(await w.page.getByText('The model was not changed.').count(), 0)
  await w.page.context().setOffline(true)
  await picker(w).selectOption(sees.id)
  await w.page.getByRole('alert').getByText('The model was not changed. The server cannot be reached.').waitFor()
  assert.match(String(await shown(w)), /^flash/)
  await w.page.context().setOffline(false)
}, { expected: /503|ERR_INTERNET|Failed/ })

scene('two choices in a moment: the last one counts, there and here', async (w) => {
  w.stub.models = [sees, blind, other]
  const a = begun(w, 'a')
  await w.open('/s/a')
  await w.page.getByText('Answer of a.').waitFor()
  let slow = true
  await w.page.route('**/api/sessions/a', async (route) => {
    if (slow && route.request().method() === 'PATCH') {
      slow = false
      await new Promise((resolve) => setTimeout(resolve, 400))
    }
    await route.continue()
  })
  await picker(w).selectOption(blind.id)
  await picker(w).selectOption(other.id)
  assert.match(String(await shown(w)), /^small/)
  await until(() => a.model === other.id)
  await w.page.waitForTimeout(600)
  assert.equal(a.model, other.id)
  assert.match(String(await shown(w)), /^small/)
})

scene('a new chat keeps its choice until its first message, which takes it along; the next one begins anew', async (w) => {
  w.stub.models = [sees, blind]
  await w.open()
  await picker(w).selectOption(blind.id)
  await w.page.reload()
  await until(async () => /^flash/.test(String(await shown(w))))
  assert.ok(!w.stub.requests.some((r) => r.startsWith('PATCH')))
  await send(w.page, 'first')
  const c = await conversation(w)
  assert.equal(c.bodies[0].model, blind.id)
  c.say('Yes.')
  await w.page.getByText('Yes.').waitFor()
  await until(async () => /^flash/.test(String(await shown(w))))
  await send(w.page, 'second')
  await until(() => c.bodies.length === 2)
  assert.equal(c.bodies[1].model, undefined)
  await w.page.keyboard.press('Alt+n')
  await until(async () => /^glm-4v/.test(String(await shown(w))))
}, { expected: /404/ })

scene('a choice before the first message has arrived goes with the next one', async (w) => {
  w.stub.models = [sees, blind]
  let closed = true
  w.stub.interfere = (req) => (closed && req.url?.endsWith('/runs') ? [503, { error: 'no', code: 'unavailable' }, { 'Retry-After': '600' }] : undefined)
  await w.open()
  await picker(w).waitFor()
  await send(w.page, 'first')
  await w.page.locator('.hold').waitFor()
  await picker(w).selectOption(blind.id)
  await send(w.page, 'second')
  closed = false
  await w.page.getByRole('button', { name: 'Try now' }).click()
  const c = await conversation(w)
  await until(() => c.bodies.length === 2)
  assert.deepEqual(c.bodies.map((b) => b.model), [undefined, blind.id])
  assert.ok(!w.stub.requests.some((r) => r.startsWith('PATCH')))
}, { expected: /503|404/ })

scene('an image before a model that does not see is said, also where there is nothing to choose', async (w) => {
  w.stub.models = [sees, blind]
  await w.open()
  await picker(w).waitFor()
  await w.page.locator('.composer input[type="file"]').setInputFiles([file('a.png', red)])
  await until(() => w.stub.workspace.files.size === 1)
  assert.equal(await w.page.getByText('does not read images').count(), 0)
  await picker(w).selectOption(blind.id)
  await w.page.getByText('flash does not read images').waitFor()
  assert.deepEqual(await axe(w.page), [])
  await shot(w.page, 'model-blind')
  await picker(w).selectOption(sees.id)
  await until(async () => !(await w.page.getByText('does not read images').count()))
  w.stub.models = [blind]
  await w.page.reload()
  await w.page.getByText('flash does not read images').waitFor()
  await w.page.getByRole('button', { name: 'Remove a.png' }).click()
  await until(async () => !(await w.page.getByText('does not read images').count()))
})
