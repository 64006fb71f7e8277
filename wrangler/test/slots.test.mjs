import assert from "node:assert/strict";
import { test } from "node:test";

import { isFull } from "../container/environment.mjs";
import { bounds, percentile, slotOf, Slots } from "../rollout/slots.mjs";

/** A switch that says what it is told to, and remembers what it heard. */
function control() {
  const heard = [];
  const says = { revision: 1, serves: "blue" };
  const env = {
    SWITCH: {
      getByName: () => ({
        look: async (counts) => {
          heard.push(counts);
          if (says.broken) throw new Error("out of reach");
          return { revision: says.revision, serves: says.serves, trial: says.trial };
        },
      }),
    },
  };
  return { heard, says, env };
}

test("the switch is asked seldom, beside requests, and waited for only when what is known is old", async (t) => {
  t.mock.timers.enable({ apis: ["Date"], now: 1_000_000 });
  const { heard, says, env } = control();
  const slots = new Slots();
  const beside = [];
  const now = async () => (await slots.now(env, (look) => beside.push(look))).serves;

  assert.equal(await now(), "blue");
  says.serves = "green";
  says.revision = 2;
  t.mock.timers.tick(1_900);
  assert.equal(await now(), "blue");
  assert.equal(heard.length, 1);
  t.mock.timers.tick(200);
  assert.deepEqual(await Promise.all([now(), now()]), ["blue", "blue"]); // the look goes on beside them, and there is one
  await Promise.all(beside);
  assert.equal(heard.length, 2);
  assert.equal(await now(), "green");

  says.serves = "blue";
  says.revision = 3;
  t.mock.timers.tick(9_000);
  assert.equal(await now(), "blue");

  says.broken = true;
  t.mock.timers.tick(60_000);
  assert.equal(await now(), "blue"); // what it said last counts
});

test("without ever having heard of the switch nobody goes anywhere", async () => {
  const { says, env } = control();
  says.broken = true;
  await assert.rejects(new Slots().now(env, () => {}), /out of reach/);
});

test("an older view does not replace a newer one", async () => {
  const { env } = control();
  const slots = new Slots();
  slots.learn({ revision: 5, serves: "green" });
  await slots.look(env);
  assert.equal(slots.view.serves, "green");
});

test("what was seen is told once", async () => {
  const { heard, env } = control();
  const slots = new Slots();
  slots.count("blue", false, 7);
  slots.count("blue", true, undefined);
  await slots.look(env);
  await slots.look(env);
  assert.deepEqual([heard[0].blue.requests, heard[0].blue.failures, heard[0].green.requests], [2, 1, 0]);
  assert.equal(heard[1], undefined);
});

test("what could not be told is told the next time", async () => {
  const { heard, says, env } = control();
  const slots = new Slots();
  slots.count("green", true, 30);
  says.broken = true;
  await assert.rejects(slots.look(env));
  slots.count("green", false, 30);
  says.broken = false;
  await slots.look(env);
  assert.deepEqual([heard[1].green.requests, heard[1].green.failures], [2, 1]);
});

test("a trial is for its user", () => {
  const view = { revision: 1, serves: "blue", trial: { user: "canary", slot: "green" } };
  assert.equal(slotOf(view, "canary"), "green");
  assert.equal(slotOf(view, "alice"), "blue");
});

test("percentiles are the bound within which that share came", () => {
  const times = bounds.map(() => 0);
  assert.equal(percentile(times, 0.95), 0);
  times[0] = 95;
  times[5] = 5;
  assert.equal(percentile(times, 0.95), bounds[0]);
  times[5] = 6;
  assert.equal(percentile(times, 0.95), bounds[5]);
  times[bounds.length - 1] = 1000;
  assert.ok(Number.isFinite(percentile(times, 0.95)));
});

test("a full deployment is told from a container that does not start", () => {
  for (const text of [
    "Error: there is no container instance that can be provided to this Durable Object, try again later",
    "Maximum number of running container instances exceeded. Try again later, or try configuring a higher value for max_instances",
  ]) assert.ok(isFull(new Error(text)), text);
  assert.ok(!isFull(new Error("the container ended: exit code 1")));
});
