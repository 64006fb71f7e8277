import assert from "node:assert/strict";
import { test } from "node:test";
import { answer, lender } from "../edge/facts.mjs";
import { takeLeased } from "../limits/lease.mjs";

/** @typedef {import("../edge/message.mjs").Facts} Facts */

/** Users' objects that count what is asked of them. */
function users() {
  const seen = { calls: 0, /** @type {any[]} */ asked: [] };
  /** @type {Map<string, import("../limits/lease.mjs").Bucket>} */
  const buckets = new Map();
  const USER = {
    getByName: (/** @type {string} */ user) => ({
      take: async (/** @type {any} */ question, /** @type {any} */ asker) => {
        seen.calls++;
        seen.asked.push(asker);
        const { bucket, answer } = takeLeased(buckets.get(user) ?? { full: 0, out: [] }, question, Date.now(), asker, () => `lease ${seen.calls}`);
        buckets.set(user, bucket);
        return { key: question.key, ...answer, place: { slot: "blue", move: 3 } };
      },
      place: () => assert.fail("the place is known"),
    }),
  };
  return { seen, env: /** @type {Env} */ (/** @type {unknown} */ ({ USER })) };
}

/** @returns {Facts} */
const noFacts = () => ({ requestId: "", limits: [], spent: [] });

/**
 * Asks as the core does: first for a share, then with a question.
 * @param {Env} env
 * @param {string} user
 * @param {boolean} onlyReads
 */
async function count(env, user, onlyReads) {
  const facts = noFacts();
  const key = `api:${user}`;
  if (onlyReads && lender(facts)(key)) return facts;
  const question = { key, class: "api", n: 600, per: 60, onlyReads };
  await answer(/** @type {any} */ ({ kind: "limit", requestId: "", route: "", header: [], question }), new Request("http://gateway/"), env, facts);
  return facts;
}

test("reads are counted within a share, and go where the user's object said", async () => {
  const { seen, env } = users();
  for (let i = 0; i < 100; i++) {
    const facts = await count(env, "reader", true);
    assert.deepEqual([facts.limits.length, facts.limits[0].allowed, facts.place], [1, true, { slot: "blue", move: 3 }]);
  }
  assert.ok(seen.calls <= 10, `${seen.calls} calls for 100 reads`);
  assert.equal(seen.asked.at(-1).ended.used, 29);
  assert.equal(new Set(seen.asked.map((asker) => asker.holder)).size, 1);
});

test("what is more than a read asks the object each time, and takes no share", async () => {
  const { seen, env } = users();
  await count(env, "writer", true); // there is a share
  for (let i = 0; i < 20; i++) assert.equal((await count(env, "writer", false)).limits[0].allowed, true);
  assert.equal(seen.calls, 21);
  assert.deepEqual(seen.asked.slice(1), Array(20).fill(undefined));
});

test("a share is one user's", async () => {
  const { seen, env } = users();
  await count(env, "one", true);
  await count(env, "other", true);
  assert.equal(seen.calls, 2);
});
