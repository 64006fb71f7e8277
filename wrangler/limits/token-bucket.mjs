/**
 * A token bucket in one number: the time at which it is full again. It counts
 * exactly as gateway/limit does natively.
 */

/**
 * @param {number} full when the bucket is full, in Unix milliseconds; 0 for a new one
 * @param {{n: number, per: number}} rate n at once, n for each period of per seconds
 * @param {number} now Unix milliseconds
 * @returns {{full: number, allowed: boolean, remaining: number, resetMs: number, retryMs: number}}
 */
export function take(full, { n, per }, now) {
  const every = (per * 1000) / n;
  let left = n - Math.max(0, full - now) / every;
  // What rounding leaves short of a whole one counts as one.
  const allowed = left >= 1 - 1e-6;
  if (allowed) left = Math.max(0, left - 1);
  const resetMs = (n - left) * every;
  return {
    full: now + resetMs,
    allowed,
    remaining: Math.floor(left + 1e-6),
    resetMs: Math.ceil(resetMs),
    retryMs: left < 1 - 1e-6 ? Math.ceil((1 - left) * every) : 0,
  };
}
