import assert from "node:assert/strict";
import { test } from "node:test";
import { again } from "../edge/again.mjs";

/** @param {unknown[]} outcomes errors are thrown */
function object(...outcomes) {
  let asked = 0;
  const ask = async () => {
    const outcome = outcomes[asked++];
    if (outcome instanceof Error) throw outcome;
    return outcome;
  };
  return { ask, times: () => asked };
}

test("an object that was just being reset is asked once more", async () => {
  const o = object(new Error("reset"), "here");
  assert.equal(await again(o.ask), "here");
  assert.equal(o.times(), 2);
});

test("one that stays broken is not asked for ever, and one that has too much to do not again", async () => {
  const broken = object(new Error("first"), new Error("second"), "too late");
  await assert.rejects(again(broken.ask), /second/);
  const busy = object(Object.assign(new Error("busy"), { overloaded: true }), "too late");
  await assert.rejects(again(busy.ask), /busy/);
  assert.equal(busy.times(), 1);
});
