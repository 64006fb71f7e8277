import assert from "node:assert/strict";
import { test } from "node:test";
import { take } from "../limits/token-bucket.mjs";

test("it counts as gateway/limit does natively", () => {
  const rate = { n: 3, per: 60 };
  let now = 1_800_000_000_000;
  let full = 0;
  const next = () => {
    const { full: stored, ...answer } = take(full, rate, now);
    if (answer.allowed) full = stored;
    return answer;
  };
  // The same numbers as TestLimiterIsExact has.
  assert.deepEqual(next(), { allowed: true, remaining: 2, resetMs: 20_000, retryMs: 0 });
  assert.deepEqual(next(), { allowed: true, remaining: 1, resetMs: 40_000, retryMs: 0 });
  assert.deepEqual(next(), { allowed: true, remaining: 0, resetMs: 60_000, retryMs: 20_000 });
  assert.deepEqual(next(), { allowed: false, remaining: 0, resetMs: 60_000, retryMs: 20_000 });
  now += 20_000;
  assert.deepEqual(next(), { allowed: true, remaining: 0, resetMs: 60_000, retryMs: 20_000 });
  now += 3_600_000;
  assert.deepEqual([next(), next(), next(), next()].map(({ allowed }) => allowed), [true, true, true, false]);
});

test("no rate loses a place to rounding", () => {
  for (const rate of [{ n: 7, per: 60 }, { n: 30, per: 60 }, { n: 600, per: 60 }, { n: 999, per: 3600 }]) {
    let full = 0;
    let allowed = 0;
    for (let i = 0; i < rate.n + 5; i++) {
      const answer = take(full, rate, 1_800_000_000_123);
      if (!answer.allowed) continue;
      full = answer.full;
      allowed++;
    }
    assert.equal(allowed, rate.n);
  }
});
