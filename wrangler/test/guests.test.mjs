import assert from "node:assert/strict";
import { test } from "node:test";
import { Guests } from "../guests.mjs";

test("each user's requests are counted for themselves, and nothing stays of who is gone", () => {
  const guests = new Guests(new Map());
  assert.equal(guests.none, true);
  const [one, two, other] = [guests.enter("ann"), guests.enter("ann"), guests.enter("ben")];
  assert.deepEqual([guests.of("ann"), guests.of("ben"), guests.of("cat")], [2, 1, 0]);
  one();
  other();
  assert.deepEqual([guests.of("ann"), guests.of("ben"), guests.none], [1, 0, false]);
  two();
  assert.equal(guests.none, true);
  assert.equal(guests.open.size, 0);
});

test("who has left has left, for themselves", () => {
  const kv = { map: new Map(), get: (key) => kv.map.get(key), put: (key, value) => kv.map.set(key, value), delete: (key) => kv.map.delete(key) };
  const guests = new Guests(kv);
  guests.leave("ann", 3);
  assert.deepEqual([new Guests(kv).left("ann"), guests.left("ben")], [3, 0]);
  guests.forget("ann");
  assert.equal(guests.left("ann"), 0);
});
