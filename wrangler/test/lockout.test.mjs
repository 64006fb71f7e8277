import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Locks, strike } from "../limits/lockout.mjs";

const cases = JSON.parse(readFileSync(new URL("../../gateway/limit/testdata/lockout.json", import.meta.url), "utf8"));

for (const { name, n, per, steps } of cases) {
  test(`as in Go: ${name}`, () => {
    let known;
    for (const { at, ...want } of steps) {
      const { strikes, answer } = strike(known, { n, per }, 1_800_000_000_000 + at);
      known = strikes;
      assert.deepEqual(answer, want, `at ${at}`);
    }
  });
}

test("a record is kept for as long as it counts", () => {
  const rate = { n: 1, per: 60 };
  const now = 1_800_000_000_000;
  const first = strike(undefined, rate, now);
  assert.equal(first.forget, now + 60_000);
  assert.equal(strike(first.strikes, rate, now + 5).forget, now + 5 + 60_000 + 3_600_000);
});

test("an isolate remembers locks until they end, and not too many", () => {
  const locks = new Locks(2);
  const locked = { allowed: false, remaining: 0, resetMs: 500, retryMs: 500 };
  locks.note("a", { ...locked, allowed: true, retryMs: 0 }, 0);
  assert.equal(locks.find("a", 0), undefined);
  locks.note("a", locked, 0);
  assert.deepEqual(locks.find("a", 100), { ...locked, resetMs: 400, retryMs: 400 });
  assert.equal(locks.find("a", 500), undefined);
  for (const key of ["b", "c", "d"]) locks.note(key, locked, 0);
  assert.ok(locks.until.size <= 2);
  assert.ok(locks.find("d", 1));
});
