// Opens the page's views in a real Chromium in front of the Worker, and sets a server of
// tools up in them: one line of JSON on standard input ({base, token, chromium, library,
// server, secret}), and one on standard output with what was seen.

const chunks = []
for await (const chunk of process.stdin) chunks.push(chunk)
const { base, token, chromium, library, server, secret } = JSON.parse(Buffer.concat(chunks).toString('utf8'))
const { chromium: launcher } = await import(library)

const browser = await launcher.launch({ executablePath: chromium, args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'] })
/** @type {{seen: Record<string, string>, errors: string[], foreign: string[], leaks: string[], failed?: string}} */
const report = { seen: {}, errors: [], foreign: [], leaks: [] }
try {
  const context = await browser.newContext({ locale: 'en-GB', reducedMotion: 'reduce' })
  context.setDefaultTimeout(45_000)
  const page = await context.newPage()
  page.on('pageerror', (e) => report.errors.push(String(e)))
  page.on('console', (m) => { if (m.type() === 'error' && !/401/.test(m.text())) report.errors.push(`${m.text()} ${m.location().url}`) })
  page.on('request', (r) => { if (!r.url().startsWith(base) && !/^(data|blob):/.test(r.url())) report.foreign.push(r.url()) })
  page.on('response', async (r) => {
    const head = JSON.stringify(r.headers())
    const stream = /event-stream/.test(head)
    const body = stream ? '' : await r.text().catch(() => '')
    if ((head + body).includes(secret)) report.leaks.push(r.url())
  })
  const button = (/** @type {string} */ name) => page.getByRole('button', { name, exact: true })
  // The text content: what is scrolled away counts as not rendered (content-visibility).
  const note = async (/** @type {string} */ what) => { report.seen[what] = (await page.locator('#place, main').first().textContent() ?? '').slice(0, 2000) }

  await page.goto(`${base}/tools`)
  await page.getByLabel('Access token').fill(token)
  await page.keyboard.press('Enter')
  await page.getByRole('link', { name: /^tidy/ }).waitFor()
  await note('/tools')

  // A server of one's own, with a secret.
  await page.locator('#add-server').click()
  await page.getByLabel('Name', { exact: true }).fill('mine')
  await page.getByLabel('Address').fill(server)
  await button('Add a header').click()
  await page.getByLabel('Name of header 1').fill('X-Key')
  await page.getByLabel('Value of header 1').fill(secret)
  await button('Save').click()
  await page.getByRole('heading', { name: 'mine' }).waitFor()
  await page.getByRole('button', { name: /^Approve these/ }).click()
  await page.getByText('Ready', { exact: true }).waitFor()
  await note('/tools/mine')
  await button('Edit').click()
  await page.getByText('It was at ').waitFor()
  if ((await page.content()).includes(secret)) report.leaks.push('the form')
  await page.goto(`${base}/tools/mine`)
  await page.getByText('Ready', { exact: true }).waitFor()
  if ((await page.content()).includes(secret)) report.leaks.push('the view after a reload')
  const kept = await page.evaluate(() => JSON.stringify({ ...localStorage }) + JSON.stringify({ ...sessionStorage }))
  if (kept.includes(secret)) report.leaks.push('the storage of the browser')

  // A skill that the test has written.
  await page.goto(`${base}/skills/tidy`)
  await button('Approve this skill').click()
  await page.getByText('It is as it was approved.').waitFor()
  await note('/skills/tidy')

  // What the test's other run asks.
  await page.goto(`${base}/needs-you`)
  await page.locator('.needs-entries li').first().waitFor()
  await note('/needs-you')
  report.seen.title = await page.title()

  await page.goto(`${base}/settings`)
  await page.locator('.choice').first().waitFor()
  await note('/settings')

  await page.goto(`${base}/tools/mine`)
  await button('Remove').click()
  await page.locator('.toast').waitFor()
  await page.goto(`${base}/settings`)
  await page.waitForTimeout(1000)
} catch (cause) {
  report.failed = String(cause)
} finally {
  await browser.close()
}
process.stdout.write(JSON.stringify(report))
