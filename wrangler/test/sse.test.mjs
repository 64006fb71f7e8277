import assert from "node:assert/strict";
import { test } from "node:test";
import { maxEvent, readEvents } from "../socket/sse.mjs";

/** @param {string[]} chunks */
async function read(...chunks) {
  const items = [];
  const body = new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(typeof chunk === "string" ? new TextEncoder().encode(chunk) : chunk);
      controller.close();
    },
  });
  for await (const item of readEvents(body)) items.push(item);
  return items;
}

test("events, comments and ids come whole, wherever the stream was cut", async () => {
  const text = ': hi\n\nid: c1\nevent: message\ndata: {"a":"熊大"}\n\ndata:x\r\ndata: y\r\n\r\n: idle\n\n';
  const want = [{ comment: "hi" }, { id: "c1", data: '{"a":"熊大"}' }, { id: "", data: "x\ny" }, { comment: "idle" }];
  assert.deepEqual(await read(text), want);
  const bytes = new TextEncoder().encode(text);
  for (let at = 1; at < bytes.length; at++) {
    assert.deepEqual(await read(/** @type {any} */ (bytes.slice(0, at)), /** @type {any} */ (bytes.slice(at))), want);
  }
});

test("an event that is not ended is none", async () => {
  assert.deepEqual(await read("id: c1\ndata: half\n"), []);
});

test("an event too long is refused before it is held", async () => {
  await assert.rejects(read("data: ".padEnd(maxEvent + 2, "x")), RangeError);
});
