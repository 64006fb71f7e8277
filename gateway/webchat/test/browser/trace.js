// The CPU time of each task of a page's main thread, by Chromium's own trace. Wall
// times would count what else this machine does.

/** @param {import('playwright-core').Page} page @param {() => Promise<unknown>} act @returns {Promise<Buffer>} */
export async function traced(page, act) {
  const browser = /** @type {import('playwright-core').Browser} */ (page.context().browser())
  await browser.startTracing(page, { categories: ['toplevel', 'disabled-by-default-devtools.timeline', '__metadata'] })
  let trace
  try {
    await act()
  } finally {
    trace = await browser.stopTracing()
  }
  return trace
}

/** @param {Buffer} trace @returns {number[]} ms of each task, the longest first */
export function tasksOf(trace) {
  const events = JSON.parse(trace.toString()).traceEvents
  const mains = new Set(events.filter((/** @type {any} */ e) => e.name === 'thread_name' && e.args.name === 'CrRendererMain').map((/** @type {any} */ e) => `${e.pid} ${e.tid}`))
  /** @type {number[]} */
  const times = events.filter((/** @type {any} */ e) => /RunTask$/.test(e.name) && e.tdur !== undefined && mains.has(`${e.pid} ${e.tid}`)).map((/** @type {any} */ e) => e.tdur / 1000)
  return times.sort((a, b) => b - a)
}
