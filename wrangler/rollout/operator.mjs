/**
 * The operator's endpoint: reads and moves the switch, and begins and ends the trial of
 * the canary. It accepts the secret ROLLOUT_KEY only, and does not exist without that
 * secret. Wrong keys count as wrong credentials anywhere, and lock their address. Its
 * client is deploy/internal/rollout/cloudflare.
 */
import { authQuestion } from "../limits/address-key.mjs";
import { objectOf } from "../objects/agents.mjs";
import { strike } from "../edge/facts.mjs";
import { answerFault, newRequestId } from "../edge/fault.mjs";
import { slotOf } from "./slots.mjs";

const path = "/api/rollout";
const maxBody = 4 << 10;
/** The shortest key that counts, as deploy/internal/rollout/cloudflare has it: a shorter one could be guessed. */
const minKey = 12;
/** How long the canary may take to leave a slot. */
const restMs = 20_000;

/**
 * @param {Request} request
 * @param {Env} env
 */
export function isOperators(request, env) {
  return Boolean(env.ROLLOUT_KEY) && new URL(request.url).pathname === path;
}

/**
 * @param {Request} request
 * @param {Env} env
 * @returns {Promise<Response>}
 */
export async function operate(request, env) {
  if ((env.ROLLOUT_KEY ?? "").length < minKey) {
    return problem(503, "unavailable", "this endpoint accepts no key: ROLLOUT_KEY is too short", `give the Worker one of at least ${minKey} characters; make deploy makes a good one where there is none`);
  }
  const sent = request.headers.get("Authorization") ?? "";
  if (!(await same(sent, `Bearer ${env.ROLLOUT_KEY}`))) return wrong(sent !== "", request, env);
  if (!env.SWITCH) return problem(503, "unavailable", "the binding SWITCH is missing", "compare wrangler.jsonc with the repository's and deploy again");
  const control = env.SWITCH.getByName("agent");
  if (request.method === "GET") return tell(new URL(request.url).searchParams, control);
  if (request.method !== "POST") return problem(405, "method_not_allowed", "this endpoint knows GET and POST", "");
  if (Number(request.headers.get("content-length") ?? maxBody + 1) > maxBody) return problem(413, "too_large", "the order is too long", "");
  /** @type {{do?: string, slot?: import("./slots.mjs").Slot, holdMs?: number, user?: string, name?: string, image?: string}} */
  const order = await request.json().catch(() => ({}));
  const slot = order.slot === "blue" || order.slot === "green" ? order.slot : undefined;
  switch (order.do) {
    case "serve":
      if (slot) return Response.json(await control.serve(slot, Number(order.holdMs ?? 0)));
      break;
    case "keep":
      return Response.json(await control.confirm());
    case "hold":
      if (slot) return Response.json(await control.hold(slot, { name: String(order.name), image: String(order.image) }));
      break;
    case "try":
      if (slot && order.user) return tryOut(await control.try({ user: order.user, slot }), order.user, env);
      break;
    case "dismiss":
      return endTrial(control, env);
  }
  return problem(400, "invalid_request", "that is no order", "see wrangler/rollout/operator.mjs");
}

/**
 * A missing key is refused and not counted; a wrong one counts against its address,
 * and where it cannot be counted no further try is let in.
 * @param {boolean} counts
 * @param {Request} request
 * @param {Env} env
 */
async function wrong(counts, request, env) {
  if (counts) {
    if (!env.ADDRESS) return problem(503, "unavailable", "the binding ADDRESS is missing", "compare wrangler.jsonc with the repository's and deploy again");
    const { allowed, retryMs } = await strike(authQuestion(request, env), env.ADDRESS);
    const wait = { "Retry-After": String(Math.max(1, Math.ceil((retryMs ?? 0) / 1000))) };
    if (allowed === false) return problem(429, "rate_limited", "too many wrong credentials from this address", "wait, then try again with the right one", wait);
  }
  return problem(401, "unauthorized", "this endpoint is for the operator", "send the Worker's secret ROLLOUT_KEY; `make rollback` makes a new one where it is lost");
}

/**
 * @param {URLSearchParams} query
 * @param {DurableObjectStub<import("../objects/switch.mjs").Switch>} control
 */
async function tell(query, control) {
  const state = await control.read();
  const since = Number(query.get("since") ?? Date.now());
  const [blue, green] = await Promise.all([control.figures("blue", since), control.figures("green", since)]);
  return Response.json({ ...state, now: Date.now(), figures: { blue, green } });
}

/**
 * Brings the canary to where its trial is, and answers when it is there.
 * @param {import("../objects/switch.mjs").State} state
 * @param {string} user
 * @param {Env} env
 */
async function tryOut(state, user, env) {
  if (!env.USER) return problem(503, "unavailable", "the binding USER is missing", "");
  for (const end = Date.now() + restMs; Date.now() < end; await new Promise((done) => setTimeout(done, 200))) {
    const { slot } = await env.USER.getByName(user).place(user, state);
    if (slot === slotOf(state, user)) return Response.json(state);
  }
  return problem(503, "unavailable", "the canary does not rest: it cannot be moved", "try again");
}

/**
 * Ends the trial and erases its user: objects, containers and what is stored.
 * @param {DurableObjectStub<import("../objects/switch.mjs").Switch>} control
 * @param {Env} env
 */
async function endTrial(control, env) {
  const { trial } = await control.read();
  if (trial) {
    for (const slot of /** @type {const} */ (["blue", "green"])) await objectOf(env, slot, trial.user).forget(trial.user);
    await env.USER?.getByName(trial.user).forget();
    // The canary's name is plain (deploy/internal/rollout/cloudflare), and so stands in keys as it is.
    for (let found; env.STORE && /^[a-z0-9-]+$/.test(trial.user) && (!found || found.truncated); ) {
      found = await env.STORE.list({ prefix: `u/${trial.user}/` });
      if (found.objects.length > 0) await env.STORE.delete(found.objects.map(({ key }) => key));
    }
  }
  return Response.json(await control.try(undefined));
}

/**
 * Hashes are compared: how long that takes tells nothing.
 * @param {string} a
 * @param {string} b
 */
async function same(a, b) {
  const [x, y] = await Promise.all([a, b].map(async (text) => new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)))));
  return x.every((byte, i) => byte === y[i]);
}

/**
 * @param {number} status
 * @param {string} code
 * @param {string} error
 * @param {string} hint
 * @param {Record<string, string>} [headers]
 */
function problem(status, code, error, hint, headers) {
  return answerFault({ status, code, error, hint, requestId: newRequestId(), headers });
}
