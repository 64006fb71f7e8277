/**
 * When an address that sends wrong credentials is locked, and for how long. It
 * says what gateway/limit/lockout.go says; both are held to its
 * testdata/lockout.json.
 */

/** No address is locked for longer, and so long it must be quiet to be forgiven. */
const longestLock = 3_600_000;

/**
 * What is known of an address: when its period began, how many wrong ones came in
 * it, until when it is locked, how long that lock is. In milliseconds.
 * @typedef {{since: number, count: number, until: number, lock: number}} Strikes
 * @typedef {{allowed: boolean, remaining: number, resetMs: number, retryMs: number}} Answer
 */

/** @type {Strikes} */
const clean = { since: 0, count: 0, until: 0, lock: 0 };

/**
 * Notes one more wrong credential.
 * @param {Strikes | undefined} known
 * @param {{n: number, per: number}} rate n are let pass in per seconds
 * @param {number} now Unix milliseconds
 * @returns {{strikes: Strikes, forget: number, answer: Answer}} forget is when nothing of it counts any more
 */
export function strike(known, { n, per }, now) {
  const perMs = per * 1000;
  const longest = Math.max(longestLock, perMs);
  let s = { ...(known ?? clean) };
  if (s.until - now > longest) s = { ...clean }; // the clock was set back
  /** @param {Answer} answer */
  const end = (answer) => ({ strikes: s, forget: s.lock > 0 ? s.until + longest : s.since + perMs, answer });
  if (now < s.until) return end(locked(s.until - now));
  if (s.lock > 0 && now >= s.until + longest) s = { ...clean };
  if (s.lock > 0) {
    s.lock = Math.min(2 * s.lock, longest);
    s.until = now + s.lock;
    return end({ allowed: true, remaining: 0, resetMs: s.lock, retryMs: s.lock });
  }
  if (now >= s.since + perMs || now < s.since) {
    s.since = now;
    s.count = 0;
  }
  s.count++;
  if (s.count > n) {
    s.lock = perMs;
    s.until = now + perMs;
    return end(locked(perMs));
  }
  return end({ allowed: true, remaining: n - s.count, resetMs: s.since + perMs - now, retryMs: 0 });
}

/**
 * @param {number} ms
 * @returns {Answer}
 */
function locked(ms) {
  return { allowed: false, remaining: 0, resetMs: ms, retryMs: ms };
}

/**
 * The locks that an isolate knows: who guesses on behind one costs no
 * object. It is a cache, and the object has the truth.
 */
export class Locks {
  /** @param {number} most how many are kept */
  constructor(most) {
    this.most = most;
    /** @type {Map<string, number>} until when, in Unix milliseconds */
    this.until = new Map();
  }

  /**
   * @param {string} key
   * @param {number} now
   * @returns {Answer | undefined}
   */
  find(key, now) {
    const until = this.until.get(key);
    if (until === undefined) return undefined;
    if (until > now) return locked(until - now);
    this.until.delete(key);
    return undefined;
  }

  /**
   * @param {string} key
   * @param {Answer} answer
   * @param {number} now
   */
  note(key, answer, now) {
    if (answer.retryMs === 0) return;
    if (this.until.size >= this.most) this.until.clear();
    this.until.set(key, now + answer.retryMs);
  }
}
