import assert from "node:assert/strict";
import { test } from "node:test";
import { drawKey, partOf, tokenOf } from "../egress/tokens.mjs";

test("a token opens what is its user's, for the start that gave it out", async () => {
  const key = "00112233445566778899aabbccddeeff".repeat(2);
  const alice = await tokenOf(key, "alice");
  // The same as the Go tests make.
  assert.equal(alice, "alice.fdd2f1d12f26df070f6ce2f0526f1fa7e9bd5e9ae143ba0c4821c7a06893fcc8");
  assert.equal(await partOf(key, alice), "alice");
  assert.match((await partOf(key, await tokenOf(key, "熊大"))) ?? "", /^_[a-v0-9]+$/);

  assert.equal(await partOf(drawKey(), alice), undefined, "another start's");
  assert.notEqual(drawKey(), drawKey());
  const [, mac] = alice.split(".");
  for (const bad of ["", ".", alice.slice(0, -1), `${alice}0`, `bob.${mac}`, `.${mac}`, `alice/../bob.${mac}`, `alice.${mac.toUpperCase()}`, `alice.${"0".repeat(64)}`]) {
    assert.equal(await partOf(key, bad), undefined, bad);
  }
  // Without a key nothing is a token, whatever an empty one would sign.
  for (const none of ["", "00"]) assert.equal(await partOf(none, await tokenOf(key, "alice")), undefined);
});
