import assert from "node:assert/strict";
import { test } from "node:test";
import { compare, judge, tell } from "../metrics/alerts.mjs";
import { check } from "../metrics/check.mjs";
import { emptyTally } from "../metrics/tally.mjs";

/**
 * @param {number} requests
 * @param {number} errors
 * @param {number} slow
 */
function tally(requests, errors, slow = 0) {
  const t = { ...emptyTally(), requests, errors };
  t.times[0] = requests - slow;
  t.times[5] = slow;
  return t;
}

const well = { recent: tally(100, 0), hour: tally(1000, 0), configuration: "", store: "" };

test("what is well calls nobody", () => {
  assert.deepEqual(judge(well), []);
  assert.deepEqual(judge({ ...well, recent: emptyTally(), hour: emptyTally() }), []);
});

for (const [name, findings] of /** @type {[string, Partial<import("../metrics/alerts.mjs").Findings>][]} */ ([
  ["LoongClawErrorBudgetBurnsFast", { recent: tally(100, 5), hour: tally(1000, 20) }],
  ["LoongClawSlow", { recent: tally(100, 0, 6) }],
  ["LoongClawStoreFailing", { store: "the store does not answer" }],
  ["LoongClawConfigurationRefused", { configuration: "LOONGCLAW_TOKENS is missing" }],
])) {
  test(`${name} comes`, () => {
    const firing = judge({ ...well, ...findings });
    assert.deepEqual(firing.map((a) => a.name), [name]);
    assert.ok(firing[0]?.why);
  });
}

test("alerts end, and do not come for little", () => {
  for (const findings of [
    { recent: tally(100, 0), hour: tally(1000, 20) }, // it is over
    { recent: tally(10, 4), hour: tally(10, 4) }, // four errors are no outage
    { recent: tally(100, 1), hour: tally(1000, 10) }, // 1 % is slower trouble
    { recent: tally(100, 0, 5) },
    { recent: tally(10, 0, 10) }, // too few for a P95
  ]) {
    assert.deepEqual(judge({ ...well, ...findings }), []);
  }
});

test("only a change is news, and its end is one", () => {
  const first = compare({}, [{ name: "A", why: "x" }], 1000);
  assert.deepEqual(first.changes, [{ name: "A", state: "firing", why: "x", since: 1000 }]);
  const same = compare(first.states, [{ name: "A", why: "y" }], 2000);
  assert.deepEqual(same.changes, []);
  assert.deepEqual(same.states, { A: { why: "y", since: 1000 } });
  assert.deepEqual(compare(same.states, [], 3000), { states: {}, changes: [{ name: "A", state: "resolved", why: "y", since: 1000 }] });
});

const secret = "https://hooks.example/secret-path?key=secret";

test("a webhook that fails is told of without its address", async () => {
  const changes = /** @type {any} */ ([{ name: "A", state: "firing", why: "x", since: 1 }]);
  const refused = await tell(secret, changes, "h", async () => new Response("no", { status: 500 }));
  const away = await tell(secret, changes, "h", async () => Promise.reject(new TypeError(`fetch failed: ${secret}`)));
  assert.equal(refused, "the webhook answered with status 500");
  assert.equal(away, "the webhook did not answer");
});

/** A deployment: its core, store and watch; what was posted and logged. */
function deployment() {
  const h = {
    status: 200,
    storeFails: 0,
    recent: tally(100, 0),
    hour: tally(1000, 0),
    states: /** @type {any} */ ({}),
    posted: /** @type {any[]} */ ([]),
    logged: /** @type {string[]} */ ([]),
    hook: 200,
    env: /** @type {any} */ (undefined),
    core: /** @type {any} */ (undefined),
    run: async () => {},
  };
  h.core = {
    open: async () => {},
    decide: () => ({ kind: "respond", status: h.status, body: JSON.stringify({ error: "the gateway is not configured: set LOONGCLAW_TOKENS" }) }),
  };
  h.env = {
    ALERT_WEBHOOK_URL: secret,
    STORE: { head: async () => (h.storeFails-- > 0 ? Promise.reject(new Error("r2")) : null) },
    WATCH: { getByName: () => ({ counted: async () => ({ recent: h.recent, hour: h.hour, states: h.states }), keep: async (/** @type {any} */ s) => void (h.states = s) }) },
    // Whoever asks one of these wakes a container or makes an object.
    get USER() { throw new Error("the check asked a user's object"); },
    get AGENT_BLUE() { throw new Error("the check asked an agent"); },
    get AGENT_GREEN() { throw new Error("the check asked an agent"); },
  };
  h.run = async () => {
    const { log, warn } = console;
    const real = globalThis.fetch;
    console.log = console.warn = (/** @type {string} */ line) => void h.logged.push(line);
    globalThis.fetch = /** @type {any} */ (async (/** @type {string} */ url, /** @type {any} */ init) => {
      h.posted.push({ url, ...JSON.parse(init.body) });
      return new Response(null, { status: h.hook });
    });
    try {
      await check(h.core, h.env, 5_000_000);
    } finally {
      console.log = log;
      console.warn = warn;
      globalThis.fetch = real;
    }
  };
  return h;
}

test("the check calls once for each trouble, once for its end, and wakes nothing", async () => {
  const h = deployment();
  await h.run();
  assert.equal(h.posted.length, 0);
  h.storeFails = 2;
  await h.run();
  h.storeFails = 2;
  await h.run();
  await h.run();
  assert.deepEqual(h.posted.map((p) => [p.url, p.alerts[0].name, p.alerts[0].state]), [
    [secret, "LoongClawStoreFailing", "firing"],
    [secret, "LoongClawStoreFailing", "resolved"],
  ]);
  assert.match(h.posted[0].text, /OPERATIONS\.md#loongclawstorefailing/);
  assert.equal(h.posted[0].content, h.posted[0].text);
  assert.ok(!h.logged.join("\n").includes("secret"), "the webhook's address is in the log");
});

test("one failure of the store that a second look does not find is none", async () => {
  const h = deployment();
  h.storeFails = 1;
  await h.run();
  assert.equal(h.posted.length, 0);
});

test("a refused configuration calls with what is wrong", async () => {
  const h = deployment();
  h.status = 503;
  await h.run();
  assert.equal(h.posted[0].alerts[0].name, "LoongClawConfigurationRefused");
  assert.match(h.posted[0].text, /LOONGCLAW_TOKENS/);
});

test("what nobody could be told of is told at the next check", async () => {
  const h = deployment();
  h.storeFails = 2;
  h.hook = 500;
  await h.run();
  assert.deepEqual(h.states, {});
  h.hook = 200;
  h.storeFails = 2;
  await h.run();
  assert.equal(h.posted.length, 2);
  assert.ok(h.states.LoongClawStoreFailing);
});

test("without a webhook the log has it, once", async () => {
  const h = deployment();
  h.env.ALERT_WEBHOOK_URL = undefined;
  h.storeFails = 2;
  await h.run();
  h.storeFails = 2;
  await h.run();
  assert.equal(h.logged.filter((line) => line.includes('"alert"')).length, 1);
  assert.equal(h.posted.length, 0);
});
