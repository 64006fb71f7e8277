// What a hostile server of tools may define: it stays text, is shown for what it is,
// and costs no more than what is looked at.

import assert from 'node:assert/strict'
import { axe, scene, shot, until } from './world.js'
import { tool } from './outside.js'

/** @typedef {import('./world.js').World} World */

const attack = '</script><script>attacked = 1</script><img src=x onerror="attacked = 1"><svg onload="attacked = 1"><a href="javascript:attacked = 1">[here](javascript:attacked=1)</a>'

/** How long it takes until something is there, in the page's own time. @param {World} w @param {string} path @param {string} selector */
async function opens(w, path, selector) {
  await w.open('/tools')
  await w.page.locator('#add-server').waitFor()
  const began = Date.now()
  await w.page.locator(`a[href="${path}"]`).click()
  await w.page.locator(selector).first().waitFor()
  return Date.now() - began
}

scene('markup, scripts and addresses in every text stay text', async (w) => {
  const nasty = { ...tool(attack, attack), inputSchema: { type: attack, properties: { [attack]: { type: attack, description: attack }, ['__proto__']: { type: 'string' } }, required: [attack] } }
  w.stub.outside.server({ name: 'mine', host: attack, error: attack, state: 'changed', tools: [nasty], changes: [{ tool: attack, what: 'description', was: { ...nasty, description: `${attack}!` } }, { tool: attack, what: attack }] })
  w.stub.outside.skill('tidy', { description: attack, error: attack, text: attack, files: ['SKILL.md', attack] })
  await w.open('/tools')
  await until(async () => (await w.page.locator('.entries li').count()) === 2)
  for (const path of ['/tools/mine', '/skills/tidy']) {
    await w.open(path)
    await w.page.locator('.foreign').first().waitFor()
    for (const summary of await w.page.locator('.panel summary').all()) await summary.click()
    await w.page.waitForTimeout(150)
    assert.equal(await w.page.evaluate(() => 'attacked' in window), false)
    assert.equal(await w.page.locator('.panel :is(script, img, svg, iframe)').count(), 0)
    assert.deepEqual(await w.page.locator('.panel a').evaluateAll((all) => all.map((a) => a.getAttribute('href'))), ['/tools'])
    assert.ok((await w.page.locator('.foreign').first().innerText()).includes('<img src=x'))
    assert.deepEqual(await axe(w.page), [])
  }
}, { expected: /404/ })

scene('what cannot be seen, goes the other way or passes for another name is shown as what it is', async (w) => {
  w.stub.outside.server({ name: 'mine', tools: [tool('read_\u0066ile'), tool('re\u0430d_file'), tool('read_file\u200b'), tool('\u202eelif_daer'), tool('ｒead_file'), tool('读取')] })
  await w.open('/tools/mine')
  await w.page.locator('.definitions').waitFor()
  assert.deepEqual(await w.page.locator('.definitions summary strong').allInnerTexts(), ['read_file', 're\\u{430}d_file', 'read_file\\u{200B}', '\\u{202E}elif_daer', '\\u{FF52}ead_file', '读取'])
  await shot(w.page, 'panel-imitations')
})

scene('2,000 tools, and a description of a megabyte, are bounded and quick', async (w) => {
  const tools = Array.from({ length: 2000 }, (_, i) => tool(`tool_${i}`, `Number ${i}. ${'word '.repeat(700)}`))
  w.stub.outside.server({ name: 'many', tools })
  w.stub.outside.server({ name: 'long', tools: [tool('long', `Begins. ${'\u200b\u202e words '.repeat(125_000)} Ends.`)] })
  const many = await opens(w, '/tools/many', '.definitions li')
  assert.ok(many < 4000, `${many} ms until the tools are there`)
  assert.equal(await w.page.locator('.definitions > li').count(), 50)
  assert.ok((await w.page.evaluate(() => document.querySelectorAll('*').length)) < 3000)
  await w.page.getByText('You approve all 2000').waitFor()
  await w.page.getByLabel('Find a tool').fill('number 1999.')
  await until(async () => (await w.page.locator('.definitions > li').count()) === 1)
  await w.page.locator('.definitions summary').click()
  await w.page.getByText('Number 1999.').waitFor()
  await w.page.getByLabel('Find a tool').fill('')
  await w.page.getByRole('button', { name: 'Show 200 more' }).click()
  await until(async () => (await w.page.locator('.definitions > li').count()) === 250)
  const long = await opens(w, '/tools/long', '.foreign')
  assert.ok(long < 4000, `${long} ms until the description is there`)
  const size = () => w.page.locator('.foreign').first().evaluate((el) => (el.textContent ?? '').length)
  assert.ok((await size()) < 20_000)
  const more = w.page.getByRole('button', { name: /Show more/ })
  const before = await size()
  await more.click()
  await until(async () => (await size()) > before * 5)
  assert.ok((await size()) < 400_000)
})

scene('a schema that is nested without end, one of a thousand parameters, and one that is no schema', async (w) => {
  const deep = JSON.parse('{"type":"object","properties":{"a":' + '{"a":'.repeat(2000) + '1' + '}'.repeat(2000) + '}}')
  const wide = { type: 'object', properties: Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`p${i}`, { type: 'string' }])) }
  w.stub.outside.server({ name: 'mine', state: 'changed', tools: [{ ...tool('deep'), inputSchema: deep }, { ...tool('none'), inputSchema: /** @type {any} */ ([1, 'x']) }, { ...tool('wide'), inputSchema: wide }],
    changes: [{ tool: 'deep', what: 'schema', was: { ...tool('deep'), inputSchema: { ...deep, title: 'x' } } }] })
  await w.open('/tools/mine')
  await w.page.locator('.beside').waitFor()
  for (const summary of await w.page.locator('.definitions > li > details > summary').all()) await summary.click()
  for (const summary of await w.page.locator('.whole summary').all()) await summary.click()
  await w.page.getByText('960 more are in the whole definition.').waitFor()
  await until(() => w.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth))
})
