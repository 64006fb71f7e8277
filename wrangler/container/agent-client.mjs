/**
 * What an Agent object says to the agent in its container itself, beside the
 * gateway's requests that it relays.
 */
import { isFull } from "./environment.mjs";
import { egressHeader } from "../egress/tokens.mjs";
import { sleep } from "../edge/wait.mjs";

/** Where the agent listens in its container. */
export const port = 8788;
/** How long a container may take until its agent is ready. */
const startMs = 120_000;
/** Between two looks at an agent that starts. */
const lookMs = 100;
/** How long one look may take. */
const answerMs = 5_000;

/** Why the container ended, if the platform said so. @typedef {() => string} Why */

/**
 * Gives the agent its egress tokens: in a request, since every tool could read its
 * environment.
 * @param {Container} container
 * @param {string[][]} tokens users and their tokens: every user of whom something may be unfinished
 * @param {string} keeper the token with which this object asks what runs
 * @param {Why} why
 */
export function hand(container, tokens, keeper, why) {
  const body = JSON.stringify({ token: tokens[0][1], users: Object.fromEntries(tokens), keeper });
  return until(container, "/door", { method: "POST", body }, 204, why);
}

/**
 * Waits until the agent has read what it needs.
 * @param {Container} container
 * @param {Why} why
 */
export function ready(container, why) {
  return until(container, "/ready", {}, 200, why);
}

/**
 * How many runs are active, and whose.
 * @param {Container} container
 * @param {string} keeper the token of this object; empty for a start of an older release, which has none
 * @param {string} [user] only those of this one
 * @returns {Promise<{active: number, users?: string[]} | undefined>} nothing when the agent does not answer that
 */
export async function activeRuns(container, keeper, user) {
  try {
    const headers = { [egressHeader]: keeper };
    const answer = await ask(container, user === undefined ? "/active" : `/active?user=${encodeURIComponent(user)}`, { headers });
    // A refusal tells nothing of what runs: it must not pass for "nothing".
    if (!answer.ok) await answer.body?.cancel();
    return answer.ok ? await answer.json() : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Asks until the agent answers as it should.
 * @param {Container} container
 * @param {string} path
 * @param {RequestInit} init
 * @param {number} want the status
 * @param {Why} why
 */
async function until(container, path, init, want, why) {
  const end = Date.now() + startMs;
  let last = "no answer";
  while (Date.now() < end) {
    if (!container.running) throw new Error(`the container ended: ${why() || last}`);
    try {
      const answer = await ask(container, path, init);
      const body = await answer.text();
      if (answer.status === want) return;
      last = `${path}: ${answer.status} ${body.slice(0, 300)}`;
    } catch (cause) {
      last = String(cause); // it does not listen yet
      if (isFull(cause)) throw cause;
    }
    await sleep(lookMs);
  }
  await container.destroy();
  throw new Error(`the agent was not ready in time: ${last}`);
}

/**
 * @param {Container} container
 * @param {string} path
 * @param {RequestInit} init
 */
function ask(container, path, init) {
  return container.getTcpPort(port).fetch(`http://agent.internal${path}`, { ...init, signal: AbortSignal.timeout(answerMs) });
}
