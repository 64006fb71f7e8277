import assert from "node:assert/strict";
import { test } from "node:test";
import { Relay } from "../socket/relay.mjs";

/** @param {string} text */
const answer = (text, status = 200) => ({ answer: new Response(text, { status }) });
/** @param {number} n */
const event = (n) => `id: c${n}\ndata: ${n}\n\n`;

/** @param {(after: string) => {answer: Response, failed?: string}} open */
function line(open) {
  /** @type {string[]} */
  const got = [];
  const relay = new Relay("s", "", {
    open: async (_, after) => open(after),
    deliver: (_, data) => got.push(data),
    placed: (relay) => got.push(`at ${relay.cursor}`),
    refused: (_, status) => got.push(`refused ${status}`),
    failed: (_, kind) => got.push(`failed ${kind}`),
  });
  const rest = async () => {
    while (relay.running) await new Promise((done) => setTimeout(done, 5));
  };
  return { relay, got, rest };
}

test("it rests when nothing runs, and goes on after its cursor when it is woken", async () => {
  const asked = /** @type {string[]} */ ([]);
  const { relay, got, rest } = line((after) => {
    asked.push(after);
    return answer(`${event(asked.length)}: idle\n\n`);
  });
  relay.wake();
  await rest();
  relay.wake();
  await rest();
  assert.deepEqual([asked, got], [["", "c1"], ["1", "2"]]);
});

test("it goes on after an id that stands alone", async () => {
  const asked = /** @type {string[]} */ ([]);
  const { relay, got, rest } = line((after) => {
    asked.push(after);
    return answer(`${asked.length === 1 ? "id: c0\n\n" : ""}: idle\n\n`);
  });
  relay.wake();
  await rest();
  relay.wake();
  await rest();
  assert.deepEqual([asked, got], [["", "c0"], ["at c0"]]);
});

test("a wake while it runs is not lost", async () => {
  let asked = 0;
  const { relay, got, rest } = line(() => {
    if (++asked === 1) relay.wake();
    return answer(`${event(asked)}: idle\n\n`);
  });
  relay.wake();
  await rest();
  assert.deepEqual(got, ["1", "2"]);
});

test("a stream that breaks is taken up after the last event, one that ends without a word too", async () => {
  let asked = 0;
  const { relay, got, rest } = line((after) => {
    asked++;
    if (asked === 1) return answer(event(1));
    if (asked === 2) return { answer: new Response(null, { status: 503 }), failed: "broken" };
    if (asked === 3) throw new Error("lost");
    assert.equal(after, "c1");
    return answer(`${event(2)}: idle\n\n`);
  });
  relay.wake();
  await rest();
  assert.deepEqual(got, ["1", "2"]);
});

test("a refusal ends it, and damage is one", async () => {
  for (const [status, body] of /** @type {[number, string][]} */ ([[404, "{}"], [500, '{"code":"session_damaged"}']])) {
    const { relay, got, rest } = line(() => answer(body, status));
    relay.wake();
    await rest();
    assert.deepEqual(got, [`refused ${status}`]);
  }
});

test("stopped it delivers nothing more", async () => {
  const { relay, got, rest } = line(() => {
    relay.stop();
    return answer(`${event(1)}: idle\n\n`);
  });
  relay.wake();
  await rest();
  assert.deepEqual(got, []);
});
