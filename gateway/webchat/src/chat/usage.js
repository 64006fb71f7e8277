// What a run cost, as numbers that a person asks for.

/** @typedef {{seconds: number, total: number, read: number, wrote: number, cached: number, thought: number}} Usage cached: per cent of what was read */

/** @param {unknown} n */
const count = (n) => (typeof n === 'number' && Number.isFinite(n) && n > 0 ? Math.round(n) : 0)

/** @param {import('./state.js').Run} run @returns {Usage|null} */
export function usageOf({ usage, startedAt, endedAt }) {
  const seconds = count((Date.parse(endedAt) - Date.parse(startedAt)) / 1000)
  const [read, wrote] = [count(usage?.promptTokens), count(usage?.completionTokens)]
  const total = count(usage?.totalTokens) || read + wrote
  if (!seconds && !total) return null
  return { seconds, total, read, wrote, cached: read ? Math.min(100, Math.round((100 * count(usage?.cachedTokens)) / read)) : 0, thought: count(usage?.reasoningTokens) }
}
