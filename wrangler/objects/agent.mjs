/**
 * The object of one user's agent in one generation, or of everybody's with
 * AGENT_PLACEMENT=single: forwards requests to its container, counts failures and
 * times, and lets users move to the other generation.
 */
import { DurableObject } from "cloudflare:workers";
import { failHeader, moveHeader, objectOf, shared, streamHeader, userHeader } from "./agents.mjs";
import { Listeners } from "../container/listeners.mjs";
import { isFull } from "../container/environment.mjs";
import { egressHeader } from "../egress/tokens.mjs";
import { InFlight } from "../container/in-flight.mjs";
import { ContainerSupervisor, warn } from "../container/supervisor.mjs";
import { isStream, most, Open, watched } from "../limits/open.mjs";
import { slots } from "../rollout/slots.mjs";
import { again } from "../edge/again.mjs";
import { sleep, within } from "../edge/wait.mjs";

/** How long a request waits for a container that starts; then it is told to come again. */
const patienceMs = 20_000;
/** Between two starts for a user who is to move, when the first failed. */
const pauseMs = 10_000;
/** Between two looks whether a user may leave. */
const lookMs = 30;

class Agent extends DurableObject {
  /** @returns {import("../rollout/slots.mjs").Slot} */
  get slot() {
    throw new Error("a generation says which it is");
  }

  /**
   * @param {DurableObjectState} ctx
   * @param {Env} env
   */
  constructor(ctx, env) {
    super(ctx, env);
    this.env = env;
    this.inFlight = new InFlight(ctx.storage.kv);
    this.streams = new Open();
    this.listeners = new Listeners(ctx, env);
    this.supervisor = new ContainerSupervisor(ctx, env, this.listeners);
    this.brokeAt = 0; // when a start for a user who is to move here last failed
  }

  /**
   * Relays a request of the gateway's, untouched.
   * @param {Request} request
   * @returns {Promise<Response>}
   */
  async fetch(request) {
    const user = decodeURIComponent(request.headers.get(userHeader) ?? "");
    await this.inFlight.leaving.get(user);
    const left = this.inFlight.left(user);
    if (Number(request.headers.get(moveHeader)) < left) return this.#sendOn(request, user, left);
    this.supervisor.touch();
    if (this.supervisor.state !== "ready") this.listeners.add(user);
    const exit = this.inFlight.enter(user);
    try {
      const awake = await within(patienceMs, this.supervisor.awake([user]));
      return awake ? await this.#relay(request, user) : this.#failed(user, "waking");
    } catch (cause) {
      warn(this.ctx, "the container does not start", cause);
      return this.#failed(user, isFull(cause) ? "full" : "start");
    } finally {
      exit();
    }
  }

  /** How the agent is. Asking wakes nothing. */
  state() {
    return this.supervisor.state;
  }

  /**
   * Whether the container is awake, for a user who is about to come. If it is not,
   * it starts meanwhile.
   * @param {string} user
   */
  async ready(user) {
    if (this.supervisor.state !== "asleep") return this.supervisor.state === "ready";
    if (Date.now() - this.brokeAt < pauseMs) return false;
    this.supervisor.touch();
    const broke = (/** @type {unknown} */ cause) => {
      this.brokeAt = Date.now();
      warn(this.ctx, "the container does not start for a user who is to move here", cause);
      this.#count(user, true, undefined);
    };
    this.ctx.waitUntil(this.supervisor.awake([user]).catch(broke));
    return false;
  }

  /**
   * Moves a user to the other generation, if nothing of theirs runs here. Requests that
   * arrive here afterwards are forwarded to it.
   * @param {string} user
   * @param {number} move the number of that move
   * @param {number} waitMs how long runs are waited for; what is asked meanwhile waits, too
   */
  async leave(user, move, waitMs) {
    if (this.inFlight.left(user) >= move) return true;
    const { leaving } = this.inFlight;
    const left = leaving.get(user) ?? this.#leave(user, move, waitMs).finally(() => leaving.delete(user));
    leaving.set(user, left);
    return left;
  }

  /**
   * @param {string} user
   * @param {number} move
   * @param {number} waitMs
   */
  async #leave(user, move, waitMs) {
    const end = Date.now() + waitMs;
    while (this.inFlight.of(user) > 0 || (await this.supervisor.runs(user))) {
      if (Date.now() >= end) return false;
      await sleep(lookMs);
    }
    this.inFlight.leave(user, move);
    if (this.supervisor.release(user) && this.inFlight.none) this.ctx.waitUntil(this.supervisor.stop());
    return true;
  }

  /**
   * @param {Request} request
   * @param {string} user
   * @param {number} move
   */
  #sendOn(request, user, move) {
    const headers = new Headers(request.headers);
    headers.set(moveHeader, String(move));
    return objectOf(this.env, this.slot === "blue" ? "green" : "blue", user).fetch(new Request(request, { headers }));
  }

  /**
   * Erases the user, who was the rollout's canary, and shares no container as long as
   * LOONGCLAW_CANARY names it.
   * @param {string} user
   */
  async forget(user) {
    this.inFlight.forget(user);
    if (!shared(this.env, user)) await this.supervisor.forget();
  }

  alarm() {
    return this.supervisor.look(!this.inFlight.none);
  }

  /**
   * @param {Request} request
   * @param {string} user
   */
  async #relay(request, user) {
    const begin = Date.now();
    if (mayStream(request) && this.streams.of(user) >= most(this.env, "MAX_OPEN_STREAMS")) {
      return new Response(null, { status: 429, headers: { [failHeader]: "streams" } });
    }
    try {
      const headers = new Headers(request.headers);
      headers.set(egressHeader, await this.supervisor.token(user));
      const ask = () => this.supervisor.fetch(new Request(request, { headers }));
      // A connection that rested may be closed in the moment of its use. What only asks is
      // asked once more, as Go's own client does in front of a native agent.
      const answer = await (request.method === "GET" ? again(ask) : ask());
      this.supervisor.touch();
      const waits = mayStream(request) && request.method === "POST"; // for a model, which says nothing of the agent's speed
      // From 502 on it tells of a provider, or that it is full: that is no fault of the generation's.
      this.#count(user, answer.status === 500, waits ? undefined : Date.now() - begin);
      if (request.method !== "GET" && answer.ok) this.listeners.acted(user);
      if (isStream(answer)) return this.#counted(answer, user);
      if (!answer.headers.has(failHeader)) return answer;
      return untold(answer);
    } catch (cause) {
      warn(this.ctx, "the agent broke off", cause);
      return this.#failed(user, "broken");
    }
  }

  /**
   * A stream counts until either side ends it.
   * @param {Response} stream
   * @param {string} user
   */
  #counted(stream, user) {
    const { answer, done } = watched(stream, this.streams.enter(user));
    this.ctx.waitUntil(done);
    return untold(answer);
  }

  /**
   * @param {string} user
   * @param {string} kind
   */
  #failed(user, kind) {
    this.#count(user, true, undefined);
    return new Response(null, { status: 503, headers: { [failHeader]: kind } });
  }

  /**
   * @param {string} user
   * @param {boolean} wrong
   * @param {number | undefined} ms
   */
  #count(user, wrong, ms) {
    if (slots.view?.trial?.user === user) return;
    slots.count(this.slot, wrong, ms);
    this.ctx.waitUntil(slots.now(this.env, (look) => this.ctx.waitUntil(look)).catch(() => {}));
  }
}

/**
 * Whether the answer may be an event stream: the core's table of routes says so.
 * @param {Request} request
 */
function mayStream(request) {
  return request.headers.has(streamHeader);
}

/**
 * An answer of the agent's, without the header that only this object may set.
 * @param {Response} answer
 */
function untold(answer) {
  const headers = new Headers(answer.headers);
  headers.delete(failHeader);
  return new Response(answer.body, { status: answer.status, headers });
}

export class AgentBlue extends Agent {
  get slot() {
    return /** @type {const} */ ("blue");
  }
}

export class AgentGreen extends Agent {
  get slot() {
    return /** @type {const} */ ("green");
  }
}
