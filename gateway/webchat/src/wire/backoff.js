// How long to wait before the next try: doubling, capped, with jitter, so that
// many tabs do not come back in the same moment.

/**
 * @param {number} attempt 0 for the first retry
 * @param {() => number} random
 * @returns {number} milliseconds
 */
export function backoff(attempt, random = Math.random) {
  const ceiling = Math.min(20_000, 500 * 2 ** Math.min(attempt, 10))
  return Math.round(ceiling / 2 + (ceiling / 2) * random())
}

/**
 * Sleeps until the time is over, the network comes back, or the signal aborts.
 * @param {number} ms
 * @param {AbortSignal} signal
 */
export function pause(ms, signal) {
  return /** @type {Promise<void>} */ (new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      globalThis.removeEventListener?.('online', done)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    globalThis.addEventListener?.('online', done)
    signal.addEventListener('abort', done)
    if (signal.aborted) done()
  }))
}
