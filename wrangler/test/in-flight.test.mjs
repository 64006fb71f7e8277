import assert from "node:assert/strict";
import { test } from "node:test";
import { InFlight } from "../container/in-flight.mjs";

test("each user's requests are counted for themselves, and nothing stays of who is gone", () => {
  const inFlight = new InFlight(new Map());
  assert.equal(inFlight.none, true);
  const [one, two, other] = [inFlight.enter("ann"), inFlight.enter("ann"), inFlight.enter("ben")];
  assert.deepEqual([inFlight.of("ann"), inFlight.of("ben"), inFlight.of("cat")], [2, 1, 0]);
  one();
  other();
  assert.deepEqual([inFlight.of("ann"), inFlight.of("ben"), inFlight.none], [1, 0, false]);
  two();
  assert.equal(inFlight.none, true);
  assert.equal(inFlight.open.size, 0);
});

test("who has left has left, for themselves", () => {
  const kv = { map: new Map(), get: (key) => kv.map.get(key), put: (key, value) => kv.map.set(key, value), delete: (key) => kv.map.delete(key) };
  const inFlight = new InFlight(kv);
  inFlight.leave("ann", 3);
  assert.deepEqual([new InFlight(kv).left("ann"), inFlight.left("ben")], [3, 0]);
  inFlight.forget("ann");
  assert.equal(inFlight.left("ann"), 0);
});
