/**
 * Limits by lease, for requests that only read: a user's object hands an isolate a share of
 * what the user may still ask, and the isolate counts within it without asking. A share is
 * counted as used when it is handed out, so that all isolates together never let more pass
 * than the limit does, whatever is lost on the way.
 */
import { take } from "./token-bucket.mjs";

/** How long an isolate may use a share. */
const lifeMs = 5_000;
/**
 * How much longer the object takes it for being in use: by so much may an isolate's clock go
 * back, or slower than the object's, while it holds the share.
 */
const marginMs = 3_000;
/** A share is at most this part of the limit, and this part of what is left of it. */
const ofLimit = 20;
const ofLeft = 8;
/** All shares that are out are at most this part of the limit: the rest is for those who come without one. */
const ofOut = 2;
/** A share that is smaller is not worth handing out, so small limits are counted one by one. */
const least = 5;

/** @typedef {{n: number, per: number}} Rate n at once, n for each period of per seconds */
/** @typedef {{holder: string, id: string, n: number, until: number}} Out a share that an isolate may be using */
/** @typedef {{full: number, out: Out[]}} Bucket full: when it is full again, in Unix milliseconds, as in token-bucket.mjs */
/** @typedef {{id: string, n: number, forMs: number}} Lease */
/**
 * What an isolate says of itself: its name, and how much it used of a share that it
 * will not use any more.
 * @typedef {{holder: string, ended?: {id: string, used: number}}} Asker
 */
/** @typedef {{allowed: boolean, remaining: number, resetMs: number, retryMs: number, lease?: Lease}} Answer */

/**
 * Takes one out of a bucket and, for an asker, a share as well where there is enough left.
 * @param {Bucket} known
 * @param {Rate} rate
 * @param {number} now Unix milliseconds
 * @param {Asker} [asker]
 * @param {() => string} [newId] names a share; never the same twice
 * @returns {{bucket: Bucket, answer: Answer}} the bucket is a new one
 */
export function takeLeased(known, rate, now, asker, newId = () => "") {
  const every = (rate.per * 1000) / rate.n;
  const bucket = settle(known, every, now);
  if (asker?.ended) end(bucket, every, asker.holder, asker.ended);
  // What is out may still be used, so the bucket is not fuller than the rest of the limit.
  const { full, ...answer } = take(Math.max(bucket.full, now + sum(bucket.out) * every), rate, now);
  bucket.full = full;
  const lease = answer.allowed && asker ? share(bucket, rate, rate.n - (full - now) / every, asker.holder, newId) : undefined;
  if (!lease) return { bucket, answer };
  bucket.out.push({ holder: asker?.holder ?? "", id: lease.id, n: lease.n, until: now + lease.forMs + marginMs });
  bucket.full += lease.n * every;
  return { bucket, answer: { ...answer, remaining: answer.remaining - lease.n, resetMs: Math.ceil(bucket.full - now), lease } };
}

/**
 * Forgets the shares whose time is over. What of them was not used is not given back: it
 * may have been.
 * @param {Bucket} known
 * @param {number} every
 * @param {number} now
 * @returns {Bucket}
 */
function settle({ full, out }, every, now) {
  const still = [...out].sort((a, b) => a.until - b.until);
  while (still.length > 0 && still[0].until <= now) {
    // Until then the bucket could not become fuller than what was out left room for.
    full = Math.max(full, still[0].until + sum(still) * every);
    still.shift();
  }
  // A clock that was set back must not keep a share out for longer than it may be.
  return { full, out: still.map((one) => ({ ...one, until: Math.min(one.until, now + lifeMs + marginMs) })) };
}

/**
 * Takes a share back: its holder has said what it used of it, and uses no more.
 * @param {Bucket} bucket
 * @param {number} every
 * @param {string} holder
 * @param {{id: string, used: number}} ended
 */
function end(bucket, every, holder, ended) {
  const at = bucket.out.findIndex((one) => one.holder === holder && one.id === ended.id);
  if (at < 0) return; // it was said before, or its time is over
  const [{ n }] = bucket.out.splice(at, 1);
  bucket.full -= Math.max(0, n - ended.used) * every;
}

/**
 * @param {Bucket} bucket
 * @param {Rate} rate
 * @param {number} left
 * @param {string} holder
 * @param {() => string} newId
 * @returns {Lease | undefined}
 */
function share(bucket, rate, left, holder, newId) {
  // Requests that come at once to an isolate that has none yet do not get one each.
  if (bucket.out.some((one) => one.holder === holder)) return undefined;
  const n = Math.floor(Math.min(rate.n / ofLimit, left / ofLeft, rate.n / ofOut - sum(bucket.out)));
  return n >= least ? { id: newId(), n, forMs: lifeMs } : undefined;
}

/** @param {Out[]} out */
function sum(out) {
  return out.reduce((all, one) => all + one.n, 0);
}

/**
 * The shares that an isolate holds.
 * @template Place where the user's requests go: the object says it with each share
 */
export class Leases {
  /** @param {number} most how many are held at a time */
  constructor(most) {
    this.most = most;
    this.holder = "";
    /** @type {Map<string, {id: string, n: number, used: number, from: number, until: number, resetMs: number, place: Place | undefined}>} by key of a limit */
    this.held = new Map();
  }

  /**
   * Takes one out of the share under a key. The last one is left for the question that
   * follows: so no client reads that nothing remains while the user's object has more.
   * @param {string} key
   * @param {number} now Unix milliseconds
   */
  take(key, now) {
    const share = this.held.get(key);
    if (!share || now < share.from || now >= share.until || share.n - share.used <= 1) return undefined;
    share.used++;
    return { key, allowed: true, remaining: share.n - share.used, resetMs: share.resetMs, retryMs: 0, place: share.place };
  }

  /**
   * Gives a share up, and what is to be said of it to the user's object.
   * @param {string} key
   * @returns {Asker}
   */
  end(key) {
    this.holder ||= crypto.randomUUID(); // in a request: outside there is no randomness
    const share = this.held.get(key);
    this.held.delete(key);
    return { holder: this.holder, ...(share && { ended: { id: share.id, used: share.used } }) };
  }

  /**
   * Holds a share that the object has handed out.
   * @param {string} key
   * @param {Answer} answer
   * @param {number} asked when it was asked for: the time on the way counts as well
   * @param {Place} [place]
   */
  hold(key, { lease, resetMs }, asked, place) {
    if (!lease) return;
    if (this.held.size >= this.most) this.held.clear();
    this.held.set(key, { id: lease.id, n: lease.n, used: 0, from: asked, until: asked + lease.forMs, resetMs, place });
  }
}
