import assert from "node:assert/strict";
import { test } from "node:test";
import { Kept } from "../edge/kept.mjs";

/** @returns {import("../edge/message.mjs").Respond} */
const decided = (stamp = "2026-01-01T00:00:00.000Z") => ({
  kind: "respond", requestId: "first-id", route: "/r", status: 200, stamp,
  header: [["X-Request-Id", "first-id"], ["X-Other", "value"]], body: '{"t":"2026-01-01T00:00:00.000Z","o":1}',
});

test("an answer that may be kept has its own time and id each time", () => {
  const kept = new Kept(2);
  const request = new Request("https://gateway/r");
  assert.equal(kept.find(request), undefined);
  kept.keep(request, decided());
  const [one, other] = [kept.find(request), kept.find(request)];
  assert.ok(one && other);
  assert.notEqual(one.requestId, other.requestId);
  assert.deepEqual(one.header, [["X-Request-Id", one.requestId], ["X-Other", "value"]]);
  const { t, o } = JSON.parse(one.body);
  assert.ok(Math.abs(Date.parse(t) - Date.now()) < 60_000);
  assert.equal(o, 1);
});

test("it is nobody's whose request would have another answer", () => {
  const kept = new Kept(2);
  kept.keep(new Request("https://gateway/r"), decided());
  for (const request of [
    new Request("https://gateway/r", { method: "HEAD" }),
    new Request("https://gateway/r?a=1"),
    new Request("http://gateway/r"),
    new Request("https://other/r"),
    new Request("https://gateway/r", { headers: { "X-Request-Id": "mine" } }),
    new Request("https://gateway/r", { headers: [["Origin", "https://page"]] }),
  ]) assert.equal(kept.find(request), undefined, request.url);
});

test("what the core does not name is not kept, and not more than so many", () => {
  const kept = new Kept(1);
  kept.keep(new Request("https://gateway/r"), decided(""));
  kept.keep(new Request("https://gateway/r?a=1"), decided());
  assert.equal(kept.answers.size, 0);
  kept.keep(new Request("https://gateway/r"), decided());
  kept.keep(new Request("https://gateway/s"), decided());
  assert.equal(kept.answers.size, 1);
});
