import assert from "node:assert/strict";
import { test } from "node:test";
import { Leases, takeLeased } from "../limits/lease.mjs";
import { take } from "../limits/token-bucket.mjs";

const start = 1_800_000_000_000;

/** @typedef {import("../limits/lease.mjs").Rate} Rate */

/**
 * Random numbers that a seed fixes, so that what fails can be run again.
 * @param {number} seed
 */
function random(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A user's object: what it stores outlives its restarts, and its memory does not. */
class ObjectOfUser {
  /** @param {Rate} rate */
  constructor(rate) {
    this.rate = rate;
    this.stored = JSON.stringify({ full: 0, out: [] });
    this.calls = 0;
    this.writes = 0;
  }

  /**
   * @param {number} now
   * @param {import("../limits/lease.mjs").Asker} [asker]
   */
  take(now, asker) {
    this.calls++;
    const { bucket, answer } = takeLeased(JSON.parse(this.stored), this.rate, now, asker, () => crypto.randomUUID());
    if (answer.allowed || asker?.ended) {
      this.stored = JSON.stringify(bucket);
      this.writes++;
    }
    return answer;
  }
}

/** An isolate of the gateway, with a clock of its own. */
class Isolate {
  /**
   * @param {ObjectOfUser} object
   * @param {number} skew
   */
  constructor(object, skew) {
    this.object = object;
    this.skew = skew;
    this.leases = new Leases(10);
  }

  /**
   * A request that only reads. Answers may be lost, and the question be asked again.
   * @param {number} now the true time
   * @param {"kept" | "lost" | "twice"} answer
   * @param {number} delay until the answer comes
   */
  read(now, answer = "kept", delay = 0) {
    const asked = now + this.skew;
    const leased = this.leases.take("api:alice", asked);
    if (leased) return { ...leased, asked: false };
    const asker = this.leases.end("api:alice");
    let got = this.object.take(now, asker);
    if (answer === "lost") return undefined;
    if (answer === "twice") got = this.object.take(now + delay, asker);
    this.leases.hold("api:alice", got, asked);
    return { ...got, asked: true };
  }
}

test("all isolates together never let more pass than the limit, and no answer promises too much", () => {
  const rates = [{ n: 600, per: 60 }, { n: 100, per: 1 }, { n: 2000, per: 3600 }, { n: 137, per: 7 }, { n: 30, per: 60 }];
  for (let seed = 1; seed <= 150; seed++) {
    const draw = random(seed);
    const rate = rates[seed % rates.length];
    const object = new ObjectOfUser(rate);
    let isolates = Array.from({ length: 1 + Math.floor(draw() * 12) }, () => new Isolate(object, Math.floor((draw() - 0.5) * 1e9)));
    let now = start;
    let exact = 0; // what a bucket says that counts each request when it passes
    let allowed = 0;
    const pace = [0.2, 20, 400, 3_000][Math.floor(draw() * 4)];
    for (let step = 0; step < 1_500; step++) {
      now += Math.floor(draw() * pace);
      if (draw() < 0.002) now += Math.floor(draw() * 20_000); // nobody asks for a while
      if (draw() < 0.01) isolates[Math.floor(draw() * isolates.length)] = new Isolate(object, Math.floor(draw() * 1e6)); // evicted
      const isolate = isolates[Math.floor(draw() * isolates.length)];
      if (draw() < 0.003) isolate.skew -= Math.min(isolate.skew + 1e12, Math.floor(draw() * 100)); // its clock is set back a little
      const direct = draw() < 0.1; // what is never leased is counted by the object
      const kind = /** @type {const} */ (["kept", "kept", "kept", "kept", "lost", "twice"])[Math.floor(draw() * 6)];
      const got = direct ? object.take(now) : isolate.read(now, kind, 0);
      if (!got?.allowed) continue;
      allowed++;
      const one = take(exact, rate, now);
      assert.ok(one.allowed, `seed ${seed}, step ${step}: ${allowed} passed, which is one too many`);
      exact = one.full;
      assert.ok(got.remaining <= one.remaining, `seed ${seed}, step ${step}: said ${got.remaining} remain, and ${one.remaining} do`);
    }
    assert.ok(allowed > 0);
  }
});

test("a share is not used when its time is over, however slowly its answer came", () => {
  const object = new ObjectOfUser({ n: 600, per: 60 });
  const isolate = new Isolate(object, -5e8);
  isolate.read(start);
  assert.equal(isolate.read(start + 4_999)?.asked, false);
  assert.equal(isolate.read(start + 5_000)?.asked, true, "its time is over");
  assert.equal(isolate.read(start + 5_001)?.asked, false);
  isolate.skew -= 1_000; // the clock was set back before the share was handed out
  assert.equal(isolate.read(start + 5_002)?.asked, true);
});

test("a share that is used at the end of its time counts from then", () => {
  const rate = { n: 2000, per: 3600 };
  const object = new ObjectOfUser(rate);
  const isolate = new Isolate(object, 0);
  let exact = take(0, rate, start).full;
  isolate.read(start);
  for (let i = 0; i < 99; i++) {
    assert.equal(isolate.read(start + 4_999)?.asked, false);
    exact = take(exact, rate, start + 4_999).full;
  }
  const later = start + 180_000; // by then what was handed out would be full again
  assert.ok(object.take(later).remaining <= take(exact, rate, later).remaining);
});

test("100 reads cost at most 10 questions and 10 writes", () => {
  const object = new ObjectOfUser({ n: 600, per: 60 });
  const isolate = new Isolate(object, 0);
  for (let i = 0; i < 100; i++) assert.ok(isolate.read(start + 10 * i)?.allowed);
  assert.ok(object.calls <= 10, `${object.calls} questions`);
  assert.ok(object.writes <= 10, `${object.writes} writes`);
});

test("one isolate gets the whole limit, then a refusal that the object has made", () => {
  const object = new ObjectOfUser({ n: 600, per: 60 });
  const isolate = new Isolate(object, 0);
  let allowed = 0;
  let last = isolate.read(start);
  for (; last?.allowed && allowed < 700; last = isolate.read(start)) allowed++;
  assert.equal(allowed, 600);
  assert.deepEqual([last?.asked, last?.remaining, last?.retryMs], [true, 0, 100]);
  // Nothing is said to remain only where nothing does.
  const other = new ObjectOfUser({ n: 600, per: 60 });
  const first = new Isolate(other, 0);
  for (let i = 1; i < 600; i++) assert.notEqual(first.read(start)?.remaining, 0, `after ${i}`);
  assert.equal(first.read(start)?.remaining, 0);
});

test("many requests at once at an isolate without a share take one share, not one each", () => {
  const object = new ObjectOfUser({ n: 600, per: 60 });
  const leases = new Leases(10);
  const asked = Array.from({ length: 20 }, () => object.take(start, leases.end("api:alice")));
  assert.equal(asked.filter((answer) => answer.lease).length, 1);
  assert.equal(asked.at(-1)?.remaining, 600 - 20 - 30, "20, and one share");
});

test("what an isolate did not use comes back when it says so, once", () => {
  const object = new ObjectOfUser({ n: 600, per: 60 });
  const asker = { holder: "a" };
  const lease = object.take(start, asker).lease;
  assert.ok(lease);
  const ended = { id: lease.id, used: 3 };
  // The one before, three of its share, this one, and a new share.
  assert.equal(object.take(start, { holder: "a", ended }).remaining, 600 - 1 - 3 - 1 - 30);
  const before = object.take(start).remaining;
  object.take(start, { holder: "b", ended });
  const after = object.take(start).remaining;
  assert.ok(after < before, "another isolate cannot give it back");
});

test("shares that are lost leave room for those who come without one", () => {
  const object = new ObjectOfUser({ n: 600, per: 60 });
  for (let i = 0; i < 100; i++) object.take(start, { holder: `isolate ${i}` });
  assert.ok(object.take(start).remaining >= 100, "half of the limit is never out");
  // After their time all is as before.
  assert.ok(object.take(start + 90_000).remaining >= 598);
});

test("small limits are counted one by one, as before", () => {
  for (const rate of [{ n: 30, per: 60 }, { n: 8, per: 3600 }, { n: 1, per: 1 }]) {
    let full = 0;
    const object = new ObjectOfUser(rate);
    for (let i = 0; i < 60; i++) {
      const now = start + 137 * i;
      const one = take(full, rate, now);
      if (one.allowed) full = one.full;
      const { full: _, ...want } = one;
      assert.deepEqual(object.take(now, { holder: "a" }), want);
    }
  }
});

test("an isolate forgets rather than grows", () => {
  const leases = new Leases(3);
  for (let i = 0; i < 10; i++) {
    leases.hold(`api:u${i}`, { allowed: true, remaining: 1, resetMs: 0, retryMs: 0, lease: { id: "x", n: 9, forMs: 5_000 } }, start);
    assert.ok(leases.held.size <= 3);
  }
});
