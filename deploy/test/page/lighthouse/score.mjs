// What Lighthouse says of a page on a phone: one line of JSON on standard input
// ({address, token, chromium}), and one on standard output.

import { launch } from 'chrome-launcher'
import lighthouse from 'lighthouse'

const chunks = []
for await (const chunk of process.stdin) chunks.push(chunk)
const { address, token, chromium } = JSON.parse(Buffer.concat(chunks).toString('utf8'))

// A root user has no sandbox; the others keep what makes one run differ from the next away.
const chrome = await launch({
  chromePath: chromium,
  chromeFlags: ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking', '--disable-component-update'],
})
try {
  const { lhr } = await lighthouse(address, {
    port: chrome.port,
    logLevel: 'error',
    output: 'json',
    extraHeaders: { Authorization: `Bearer ${token}` },
    // The page holds a stream open, so its network is never quiet: this is how long it is looked at.
    maxWaitForLoad: 15_000,
  })
  const scores = Object.fromEntries(Object.values(lhr.categories).map((c) => [c.id, Math.round((c.score ?? 0) * 100)]))
  const shown = ['first-contentful-paint', 'largest-contentful-paint', 'total-blocking-time', 'cumulative-layout-shift', 'speed-index', 'total-byte-weight']
  const failed = Object.values(lhr.categories).flatMap((c) => c.auditRefs)
    .map((ref) => lhr.audits[ref.id]).filter((a) => a.scoreDisplayMode === 'binary' && a.score === 0).map((a) => `${a.id}: ${a.title}`)
  process.stdout.write(JSON.stringify({
    version: lhr.lighthouseVersion, trouble: lhr.runtimeError?.message ?? '', seen: lhr.finalDisplayedUrl, scores, failed: [...new Set(failed)],
    measures: shown.map((id) => `${id} ${lhr.audits[id]?.displayValue ?? '?'}`),
  }))
} finally {
  chrome.kill()
}
