import assert from "node:assert/strict";
import { test } from "node:test";
import { Metrics, passed } from "../metrics/metrics.mjs";
import { borders, emptyTally, merge, slot, slower } from "../metrics/tally.mjs";

/** A clock, a data set, a watch, and a request's context. */
function world() {
  let now = 1_000_000;
  /** @type {{indexes: string[], blobs: string[], doubles: number[]}[]} */
  const points = [];
  /** @type {any[]} */
  const tallies = [];
  /** @type {Promise<unknown>[]} */
  const waiting = [];
  const env = /** @type {any} */ ({
    SEEN: { writeDataPoint: (/** @type {any} */ p) => points.push(p) },
    WATCH: { getByName: () => ({ add: async (/** @type {any} */ tally) => void tallies.push(tally) }) },
  });
  const seen = new Metrics(() => now);
  /**
   * @param {string} method
   * @param {string} route
   * @param {number} status
   * @param {number} ms
   * @param {boolean} stream
   */
  const ask = (method, route, status, ms, stream = false) =>
    seen.request(new Request("https://h/api/history/secret-session?token=secret", { method }), env, { waitUntil: (p) => waiting.push(p) }, async (note) => {
      now += ms;
      Object.assign(note, { route, stream });
      return new Response(null, { status });
    });
  return { env, points, tallies, waiting, ask, pass: (/** @type {number} */ ms) => (now += ms) };
}

test("a request is one data point, under the native metric's name and without what a client made up", async () => {
  const { points, ask } = world();
  await ask("GET", "/api/history/:session", 200, 30);
  await ask("BREW", "", 404, 1);
  assert.deepEqual(points, [
    { indexes: ["loongclaw_gateway_requests_total"], blobs: ["loongclaw_gateway_requests_total", "/api/history/:session", "GET", "200", "plain"], doubles: [1, 0.03] },
    { indexes: ["loongclaw_gateway_requests_total"], blobs: ["loongclaw_gateway_requests_total", "none", "other", "404", "plain"], doubles: [1, 0.001] },
  ]);
  assert.ok(!JSON.stringify(points).includes("secret"));
});

test("a tally goes to the watch after a while, and probes, strangers and models are no use of the deployment's time", async () => {
  const { tallies, waiting, ask, pass } = world();
  await ask("GET", "/api/stats", 200, 30);
  await ask("GET", "/ready", 503, 900);
  await ask("GET", "", 500, 900);
  await ask("POST", "/api/chat", 502, 900, true);
  assert.equal(tallies.length, 0);
  pass(20_000);
  await ask("GET", "/api/stats", 200, 300);
  await Promise.all(waiting);
  assert.equal(tallies.length, 1);
  const { requests, errors, times } = tallies[0];
  assert.deepEqual({ requests, errors }, { requests: 3, errors: 1 });
  assert.equal(times.reduce((/** @type {number} */ a, /** @type {number} */ b) => a + b), 2, "the model's time is not counted");
  await ask("GET", "/api/stats", 200, 30);
  assert.equal(tallies.length, 1, "the next tally begins anew");
});

test("a tally that cannot be brought comes with the next", async () => {
  const { env, tallies, waiting, ask, pass } = world();
  const whole = env.WATCH;
  env.WATCH = { getByName: () => ({ add: async () => Promise.reject(new Error("away")) }) };
  await ask("GET", "/api/stats", 500, 1);
  pass(20_000);
  await ask("GET", "/api/stats", 200, 1);
  await Promise.all(waiting);
  env.WATCH = whole;
  await ask("GET", "/api/stats", 200, 1);
  pass(20_000);
  await ask("GET", "/api/stats", 200, 1);
  await Promise.all(waiting);
  assert.deepEqual([tallies[0].requests, tallies[0].errors], [4, 1]);
});

test("without bindings nothing is counted and everything is answered", async () => {
  const answer = await new Metrics().request(new Request("https://h/"), /** @type {any} */ ({}), { waitUntil() {} }, async () => new Response("hi"));
  assert.equal(await answer.text(), "hi");
});

test("doors count operations without their keys", () => {
  const { env, points } = world();
  const put = (/** @type {Record<string, string>} */ headers) => new Request("http://r2.internal/store/u/alice/log/1", { method: "PUT", headers });
  passed(env, put({ "if-none-match": "*" }), new Response(null, { status: 412 }));
  passed(env, put({ "if-match": '"x"' }), new Response());
  passed(env, put({}), new Response());
  passed(env, new Request("http://r2.internal/store?list-type=2&prefix=u/alice"), new Response());
  passed(env, new Request("http://r2.internal/store/u/alice/x", { method: "DELETE" }), new Response(null, { status: 204 }));
  passed(env, new Request("http://llm.internal/glm/chat/completions", { method: "POST" }), new Response(null, { status: 429 }));
  passed(env, new Request("http://web.internal/?url=https://alice.example"), new Response());
  assert.deepEqual(points.map(({ blobs }) => blobs.slice(1).join(" ")), ["create 412", "replace 200", "put 200", "list 200", "delete 204", "glm 429"]);
  assert.ok(!JSON.stringify(points).includes("alice"));
});

test("tallies add up", () => {
  const sum = emptyTally();
  for (const seconds of [0.001, 0.2, 0.21, 100]) merge(sum, slot(200, seconds));
  merge(sum, slot(503));
  assert.deepEqual({ requests: sum.requests, errors: sum.errors }, { requests: 5, errors: 1 });
  assert.deepEqual(slower(sum, 0.2), { all: 4, slow: 2, share: 0.5 });
  assert.deepEqual(slower(emptyTally(), 0.2), { all: 0, slow: 0, share: 0 });
  assert.ok(borders.includes(0.2));
});
