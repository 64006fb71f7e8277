import assert from "node:assert/strict";
import { test } from "node:test";
import { isStream, most, Open, watched } from "../limits/open.mjs";

test("a bound is the owner's, or the usual one", () => {
  for (const [said, want] of /** @type {[string | undefined, number][]} */ ([[undefined, 64], ["", 64], [" 3 ", 3], ["0", 64], ["-1", 64], ["x", 64], ["1.5", 64], ["1e3", 1000]])) {
    assert.equal(most(/** @type {Env} */ ({ MAX_OPEN_SOCKETS: said }), "MAX_OPEN_SOCKETS"), want, said);
  }
});

test("each user's streams are counted for themselves, and each end once", () => {
  const open = new Open();
  const [first, second] = [open.enter("alice"), open.enter("alice")];
  open.enter("bob");
  assert.deepEqual([open.of("alice"), open.of("bob"), open.of("carol")], [2, 1, 0]);
  first();
  first();
  assert.equal(open.of("alice"), 1);
  second();
  assert.equal(open.by.has("alice"), false);
});

/** A body that its source feeds. */
function fed() {
  /** @type {ReadableStreamDefaultController<Uint8Array>} */
  let feed;
  let cancelled = false;
  const body = new ReadableStream({ start: (controller) => void (feed = controller), cancel: () => void (cancelled = true) });
  return { body, feed: /** @type {() => ReadableStreamDefaultController<Uint8Array>} */ (() => feed), wasCancelled: () => cancelled };
}

test("the end of a stream is told, whoever ends it", async () => {
  for (const end of ["source", "error", "reader"]) {
    const { body, feed, wasCancelled } = fed();
    let ended = 0;
    const { answer, done } = watched(new Response(body, { status: 201, headers: { "X-A": "b" } }), () => ended++);
    assert.deepEqual([answer.status, answer.headers.get("X-A")], [201, "b"]);
    const reader = /** @type {ReadableStream<Uint8Array>} */ (answer.body).getReader();
    feed().enqueue(new TextEncoder().encode("data: 1\n\n"));
    assert.equal(new TextDecoder().decode((await reader.read()).value), "data: 1\n\n");
    assert.equal(ended, 0, "it is open");
    if (end === "source") feed().close();
    if (end === "error") feed().error(new Error("it broke off"));
    if (end === "reader") await reader.cancel();
    if (end === "source") assert.equal((await reader.read()).done, true);
    if (end === "error") await assert.rejects(reader.read(), "half a stream is not whole");
    await done;
    assert.equal(ended, 1, end);
    if (end === "reader") assert.ok(wasCancelled(), "the agent's stream goes on without a reader");
  }
});

test("an answer without a body has its end at once", async () => {
  let ended = 0;
  await watched(new Response(null, { status: 204 }), () => ended++).done;
  assert.equal(ended, 1);
});

test("what is a stream", () => {
  for (const [kind, want] of /** @type {[string, boolean][]} */ ([["text/event-stream", true], ["text/event-stream; charset=utf-8", true], ["TEXT/EVENT-STREAM", true], ["application/json", false], ["text/event-streams", false], ["", false]])) {
    assert.equal(isStream(new Response("", { headers: { "Content-Type": kind } })), want, kind);
  }
});
