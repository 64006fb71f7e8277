/** Counts of requests that can be added up: over isolates, and over minutes. */

/** Upper borders of times in seconds; 0.2 is the budget. What is slower is in the last. */
export const borders = [0.01, 0.05, 0.1, 0.2, 0.5, 1, 5];

/** @typedef {{requests: number, errors: number, times: number[]}} Tally */

/** @returns {Tally} */
export function emptyTally() {
  return { requests: 0, errors: 0, times: Array(borders.length + 1).fill(0) };
}

/**
 * The tally of one request.
 * @param {number} status
 * @param {number} [seconds] of a request that waits for no model
 */
export function slot(status, seconds) {
  const one = emptyTally();
  one.requests = 1;
  one.errors = status >= 500 ? 1 : 0;
  if (seconds !== undefined) one.times[place(seconds)] = 1;
  return one;
}

/** @param {number} seconds */
function place(seconds) {
  const at = borders.findIndex((border) => seconds <= border);
  return at < 0 ? borders.length : at;
}

/**
 * @param {Tally} into
 * @param {Tally} more
 */
export function merge(into, more) {
  into.requests += more.requests;
  into.errors += more.errors;
  into.times = into.times.map((n, i) => n + (more.times[i] ?? 0));
  return into;
}

/**
 * The share of requests that were slower than a border.
 * @param {Tally} tally
 * @param {number} border one of borders
 */
export function slower(tally, border) {
  const all = tally.times.reduce((sum, n) => sum + n, 0);
  const slow = tally.times.slice(borders.indexOf(border) + 1).reduce((sum, n) => sum + n, 0);
  return { all, slow, share: all === 0 ? 0 : slow / all };
}
