import assert from "node:assert/strict";
import { test } from "node:test";
import { isPausable, ListStream } from "../edge/list-stream.mjs";

/** Streams of an agent, and a client that reads one over all of them. */
function scene() {
  const wakeups = {
    pending: false,
    closed: false,
    waits: 0,
    notify: () => {},
    next: async () => {
      wakeups.waits++;
      if (wakeups.pending || wakeups.closed) return;
      await /** @type {Promise<void>} */ (new Promise((done) => (wakeups.notify = done)));
    },
    close: () => {
      wakeups.closed = true;
      wakeups.notify();
    },
    wake: () => {
      wakeups.pending = true;
      wakeups.notify();
    },
  };
  const { readable, writable } = new TransformStream();
  const stream = new ListStream(writable.getWriter(), wakeups);
  const reader = readable.getReader();
  const decoder = new TextDecoder();
  let text = "";
  let ended = false;
  const pump = (async () => {
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) text += decoder.decode(piece.value);
    ended = true;
  })();
  pump.catch(() => {});
  const read = async (/** @type {string} */ until) => {
    const end = Date.now() + 10_000;
    while (!ended && !text.includes(until)) {
      assert.ok(Date.now() < end, `${until} does not come; so far ${text}`);
      await new Promise((done) => setTimeout(done, 2));
    }
    return ended && !text.includes(until) ? "ended" : text;
  };
  return { wakeups, stream, read, reader };
}

/** @param {string[]} pieces */
function body(...pieces) {
  const encoder = new TextEncoder();
  return /** @type {ReadableStream<Uint8Array>} */ (ReadableStream.from(pieces.map((piece) => encoder.encode(piece))));
}

const idle = ": idle\n\n";
/** @param {number} n */
const event = (n) => `id: c${n}\nevent: session_changed\ndata: {"n":${n}}\n\n`;

test("it pauses without asking, and goes on after its last id", async () => {
  const { wakeups, stream, read, reader } = scene();
  /** @type {string[]} */
  const asked = [];
  void stream.run(body(": \n\n", event(1), idle), async (cursor) => {
    asked.push(cursor);
    return new Response(body(event(asked.length + 1), idle));
  });
  await read('"n":1');
  await new Promise((done) => setTimeout(done, 20));
  assert.deepEqual([asked, wakeups.waits], [[], 1]);
  wakeups.wake();
  await read('"n":2');
  await new Promise((done) => setTimeout(done, 20));
  assert.deepEqual(asked, ["c1"]);
  wakeups.wake();
  const text = await read('"n":3');
  assert.deepEqual(asked, ["c1", "c2"]);
  assert.equal(text.includes("idle"), false, "a client that did not ask for an end must not read one");
  await reader.cancel();
});

test("a wake while the agent answers is not lost", async () => {
  const { wakeups, stream, read, reader } = scene();
  let asked = 0;
  wakeups.wake(); // between the first question and its end
  void stream.run(body(event(1), idle), async () => new Response(body(event(++asked + 1), idle)));
  await read('"n":2');
  assert.equal(asked, 1);
  await reader.cancel();
});

test("half an event of a stream that breaks is dropped, and comes whole", async () => {
  const { stream, read, reader } = scene();
  /** @type {string[]} */
  const asked = [];
  const broken = new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(`${event(1)}id: c2\nevent: session_ch`));
    },
    pull(controller) {
      controller.error(new Error("cut"));
    },
  });
  void stream.run(broken, async (cursor) => {
    asked.push(cursor);
    return asked.length === 1 ? new Response("full", { status: 503 }) : new Response(body(event(2), idle));
  });
  const text = await read('"n":2');
  assert.equal(text.replace(":\n\n", ""), event(1) + event(2));
  assert.deepEqual(asked, ["c1", "c1"]);
  await reader.cancel();
});

test("it ends when it may not ask any more", async () => {
  for (const answer of [undefined, new Response("", { status: 401 }), new Response("", { status: 400 })]) {
    const { wakeups, stream, read } = scene();
    const run = stream.run(body(event(1), idle), async () => answer);
    await read('"n":1');
    wakeups.wake();
    assert.equal(await read("never"), "ended");
    await run;
    assert.equal(wakeups.closed, true);
  }
});

test("a client that goes away ends it", async () => {
  const { wakeups, stream, read, reader } = scene();
  let asked = 0;
  const run = stream.run(body(event(1), idle), async () => {
    asked++;
    return new Response(body(idle));
  });
  await read('"n":1');
  await reader.cancel();
  await run;
  assert.deepEqual([wakeups.closed, asked], [true, 0]);
});

test("only a stream of a container pauses, and not one whose client waits for its end", () => {
  const decision = /** @type {import("../edge/message.mjs").Forward} */ ({ kind: "forward", pausable: true, agent: "http://agent.internal" });
  const env = /** @type {Env} */ (/** @type {unknown} */ ({ USER: {} }));
  const at = (/** @type {string} */ query, method = "GET") => new Request(`http://gateway/api/sessions/stream${query}`, { method });
  assert.equal(isPausable(decision, at(""), env), true);
  assert.equal(isPausable(decision, at("?after=c"), env), true);
  assert.equal(isPausable(decision, at("?until=idle"), env), false);
  assert.equal(isPausable(decision, at("", "HEAD"), env), false);
  assert.equal(isPausable({ ...decision, pausable: false }, at(""), env), false);
  assert.equal(isPausable({ ...decision, agent: "http://127.0.0.1:8788" }, at(""), env), false);
  assert.equal(isPausable(decision, at(""), {}), false);
});
