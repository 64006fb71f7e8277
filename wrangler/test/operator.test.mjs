import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { addressKey, authQuestion } from "../limits/address-key.mjs";
import { strike } from "../limits/lockout.mjs";
import { isOperators, operate } from "../rollout/operator.mjs";

const key = "operator-key-0123456789";

/** A door as Cloudflare binds it, with what its addresses were asked. */
function door(more = {}) {
  /** @type {Map<string, import("../limits/lockout.mjs").Strikes>} */
  const known = new Map();
  const env = {
    ROLLOUT_KEY: key,
    RATE_LIMIT_AUTH: "3/m",
    ADDRESS: {
      getByName: (/** @type {string} */ name) => ({
        strike: (/** @type {import("../edge/message.mjs").LimitQuestion} */ question) => {
          const { strikes, answer } = strike(known.get(name), question, Date.now());
          known.set(name, strikes);
          return { key: question.key, ...answer };
        },
      }),
    },
    SWITCH: { getByName: () => ({ read: async () => ({}), figures: async () => ({}) }) },
    ...more,
  };
  /** @param {string} authorization @param {string} address */
  const knock = (authorization, address) => {
    const headers = new Headers({ "CF-Connecting-IP": address });
    if (authorization) headers.set("Authorization", authorization);
    return operate(new Request("https://worker.example/api/rollout", { headers }), /** @type {Env} */ (/** @type {unknown} */ (env)));
  };
  return { knock, known };
}

test("a wrong key counts against its address, and locks it", async () => {
  const { knock, known } = door();
  for (const want of [401, 401, 401, 429, 429]) assert.equal((await knock("Bearer guess", "198.51.100.1")).status, want);
  assert.deepEqual([...known.keys()], ["198.51.100.1"]);
  const locked = await knock("Basic guess", "198.51.100.1");
  assert.equal(locked.status, 429);
  assert.ok(Number(locked.headers.get("Retry-After")) > 1);
  assert.equal((await knock("Bearer guess", "198.51.100.2")).status, 401, "another address is not locked");
  assert.equal((await knock(`Bearer ${key}`, "198.51.100.1")).status, 200, "a right key passes, whatever its neighbours did");
});

test("a missing key is refused and counts nothing", async () => {
  const { knock, known } = door();
  for (let i = 0; i < 9; i++) assert.equal((await knock("", "198.51.100.3")).status, 401);
  assert.equal(known.size, 0);
});

test("nobody may guess where nobody counts", async () => {
  const { knock } = door({ ADDRESS: undefined });
  assert.equal((await knock("Bearer guess", "198.51.100.4")).status, 503);
});

test("a key that could be guessed opens nothing", async () => {
  for (const short of ["short", "elevenchars"]) {
    const { knock } = door({ ROLLOUT_KEY: short });
    for (const sent of [`Bearer ${short}`, "Bearer guess", ""]) assert.equal((await knock(sent, "198.51.100.5")).status, 503, sent);
  }
});

test("without a key the door is not there", () => {
  const request = new Request("https://worker.example/api/rollout");
  assert.equal(isOperators(request, /** @type {Env} */ ({})), false);
  assert.equal(isOperators(request, /** @type {Env} */ ({ ROLLOUT_KEY: key })), true);
});

for (const { address, key: want } of JSON.parse(readFileSync(new URL("../../gateway/access/testdata/addresses.json", import.meta.url), "utf8"))) {
  test(`the key of an address, as in Go: ${address}`, () => assert.equal(addressKey(address), want));
}

test("a rate that cannot be read is the usual one", () => {
  const request = new Request("https://worker.example/api/rollout", { headers: { "CF-Connecting-IP": "192.0.2.1" } });
  for (const [text, n, per] of /** @type {[string | undefined, number, number][]} */ ([[undefined, 10, 60], ["5/h", 5, 3600], ["x", 10, 60], ["0/m", 10, 60]])) {
    assert.deepEqual(authQuestion(request, /** @type {Env} */ ({ RATE_LIMIT_AUTH: text })), { key: "auth:192.0.2.1", class: "auth", n, per });
  }
});
