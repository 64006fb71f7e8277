/**
 * The object of one user's agent in one generation: keeps one container and
 * nothing else. It starts it when a request comes, however many ask at once, keeps
 * it exactly while something runs, and stops it some time after, or when its user
 * moves to the other generation.
 */
import { DurableObject } from "cloudflare:workers";
import { failHeader, moveHeader, objectOf, userHeader } from "./agents.mjs";
import { core } from "./boot.mjs";
import { containerEnv, durationMs, isFull } from "./container.mjs";
import { activeRuns, hand, port, ready } from "./inside.mjs";
import { slots } from "./slots.mjs";
import { woke } from "./seen.mjs";
import { sleep, within } from "./wait.mjs";

/** How long a request waits for a container that starts; then it is told to come again. */
const patienceMs = 20_000;
/** How often the object looks what runs. */
const beatMs = 30_000;
/** A container of which nobody hears for this long is the platform's to end. */
const inactivityMs = 5 * 60_000;
/** The agent ends within 20 s of SIGTERM. */
const drainMs = 25_000;
/** What waits for a model says nothing of the agent's speed. */
const slowPaths = ["/api/chat", "/v1/chat/completions"];
/** Between two starts for a user who is to move, when the first failed. */
const pauseMs = 10_000;
/** How often in a row a container that died is started again unasked. */
const maxDeaths = 5;
/** Looks that may fail before the agent counts as stuck. */
const maxSilent = 4;

/** What must outlive this object's eviction. @typedef {{user: string, tokenHash: string, publicKey: string, ready: boolean, busy: boolean}} Start */

class Agent extends DurableObject {
  /** @returns {import("./slots.mjs").Slot} */
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
    this.container = /** @type {Container} */ (ctx.container);
    this.sleepMs = durationMs(env.SLEEP_AFTER);
    this.lastUse = Date.now();
    this.deaths = 0;
    this.silent = 0;
    this.fresh = false; // it was woken, and nothing has been asked of it yet
    this.quiet = false; // it starts for a user who is still elsewhere, and hears nothing of it
    this.endedBy = ""; // why the container ended, if the platform said so
    this.brokeAt = 0; // when such a start last failed
    this.open = 0; // requests that wait for the head of their answer
    /** @type {Promise<void> | undefined} */
    this.starting = undefined;
    /** @type {Promise<void> | undefined} */
    this.stopping = undefined;
    /** @type {Promise<boolean> | undefined} */
    this.leaving = undefined;
    if (this.container.running) void ctx.blockConcurrencyWhile(() => this.#takeUp());
  }

  /**
   * Relays a request of the gateway's, untouched.
   * @param {Request} request
   * @returns {Promise<Response>}
   */
  async fetch(request) {
    const user = decodeURIComponent(request.headers.get(userHeader) ?? "");
    await this.leaving;
    const left = this.#left;
    if (Number(request.headers.get(moveHeader)) < left) return this.#sendOn(request, user, left);
    this.lastUse = Date.now();
    this.quiet = false;
    this.open++;
    try {
      const awake = await within(patienceMs, this.#awake(user));
      if (!awake) return this.#failed(user, "waking");
    } catch (cause) {
      this.#log("the container does not start", cause);
      return this.#failed(user, isFull(cause) ? "full" : "start");
    } finally {
      this.open--;
    }
    return this.#relay(request, user);
  }

  /**
   * How the agent is. Asking wakes nothing.
   * @returns {"asleep" | "starting" | "ready"}
   */
  state() {
    if (this.starting) return "starting";
    return this.container.running && this.#start?.ready ? "ready" : "asleep";
  }

  /**
   * Whether the container is awake, for a user who is about to come. If it is not,
   * it starts meanwhile.
   * @param {string} user
   */
  async ready(user) {
    if (this.state() === "ready") return true;
    if (this.starting || Date.now() - this.brokeAt < pauseMs) return false;
    this.quiet = true;
    this.lastUse = Date.now();
    const broke = (/** @type {unknown} */ cause) => {
      this.brokeAt = Date.now();
      this.#log("the container does not start for a user who is to move here", cause);
      this.#count(user, true, undefined);
    };
    this.ctx.waitUntil(this.#awake(user).catch(broke));
    return false;
  }

  /**
   * The user moves to the other generation, if nothing runs here. What was on its
   * way is sent on.
   * @param {number} move the number of that move
   * @param {number} waitMs how long runs are waited for; what is asked meanwhile waits, too
   */
  async leave(move, waitMs) {
    if (this.#left >= move) return true;
    this.leaving ??= this.#leave(move, waitMs).finally(() => (this.leaving = undefined));
    return this.leaving;
  }

  /**
   * @param {number} move
   * @param {number} waitMs
   */
  async #leave(move, waitMs) {
    const end = Date.now() + waitMs;
    await this.stopping;
    // An agent that does not answer runs nothing that could end here.
    while (this.open > 0 || this.starting || (this.container.running && (await activeRuns(this.container)))) {
      if (Date.now() >= end) return false;
      await sleep(30);
    }
    this.#left = move;
    if (this.container.running) this.ctx.waitUntil(this.#stop());
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

  /** The user was the rollout's own, and is gone. */
  async forget() {
    this.#start = undefined;
    this.ctx.storage.kv.delete("left");
    await this.ctx.storage.deleteAlarm();
    if (this.container.running) await this.container.destroy();
  }

  /** Looks what runs, and stops the container when nothing has for a while. */
  async alarm() {
    const start = this.#start;
    if (!this.container.running) {
      if (start?.ready) await this.#ended("the container ended while nobody looked");
      return;
    }
    const active = await activeRuns(this.container);
    const now = Date.now();
    if (active === undefined && ++this.silent >= maxSilent) {
      this.#log("the agent does not answer; its container is ended", undefined);
      await this.container.destroy();
      return;
    }
    if (active !== undefined) this.silent = 0;
    if (active) {
      this.lastUse = now;
      if (start) await this.#stir(start.user);
    }
    if (start && start.busy !== Boolean(active)) this.#start = { ...start, busy: Boolean(active) };
    if (now - this.lastUse >= this.sleepMs && this.open === 0) return this.#stop();
    await this.container.setInactivityTimeout(inactivityMs);
    await this.#arm();
  }

  /**
   * @param {Request} request
   * @param {string} user
   */
  async #relay(request, user) {
    this.open++;
    const begin = Date.now();
    try {
      const answer = await this.container.getTcpPort(port).fetch(request);
      this.lastUse = Date.now();
      const waits = slowPaths.includes(new URL(request.url).pathname);
      // From 502 on it tells of a provider, or that it is full: that is no fault of the generation's.
      this.#count(user, answer.status === 500, waits ? undefined : this.lastUse - begin);
      if (request.method !== "GET" && answer.ok) this.#acted(user);
      if (!answer.headers.has(failHeader)) return answer;
      const headers = new Headers(answer.headers);
      headers.delete(failHeader); // nobody but this object may say it
      return new Response(answer.body, { status: answer.status, headers });
    } catch (cause) {
      this.#log("the agent broke off", cause);
      return this.#failed(user, "broken");
    } finally {
      this.open--;
    }
  }

  /**
   * Waits until the agent is ready, and starts it if need be.
   * @param {string} user
   */
  async #awake(user) {
    await core.open(this.env);
    await this.stopping;
    if (this.container.running && this.#start?.ready && this.#start.publicKey !== core.publicKey()) await this.#stop();
    if (this.container.running && this.#start?.ready && !this.starting) return;
    this.starting ??= this.#begin(user).finally(() => (this.starting = undefined));
    this.ctx.waitUntil(this.starting.catch(() => {}));
    await this.starting;
  }

  /** @param {string} user */
  async #begin(user) {
    this.#tell(user, "waking");
    woke(this.env);
    if (this.container.running) await this.container.destroy();
    const token = hex(crypto.getRandomValues(new Uint8Array(32)));
    const tokenHash = hex(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(token))));
    const publicKey = core.publicKey();
    this.#start = { user, tokenHash, publicKey, ready: false, busy: false };
    await this.#openDoors(user, tokenHash);
    this.container.start({ env: containerEnv(this.env, publicKey, this.ctx.id.toString()), enableInternet: false });
    await this.container.setInactivityTimeout(inactivityMs);
    this.#watch();
    const why = () => this.endedBy;
    await hand(this.container, token, why);
    this.#tell(user, "restoring");
    await ready(this.container, why);
    this.#start = { user, tokenHash, publicKey, ready: true, busy: true };
    this.fresh = true;
    this.#tell(user, "ready");
    await this.#arm();
    await this.#stir(user);
  }

  /**
   * The doors are this container's only ways out.
   * @param {string} user
   * @param {string} tokenHash
   */
  async #openDoors(user, tokenHash) {
    const { Egress } = /** @type {{Egress: (options: {props: {user: string, tokenHash: string}}) => Fetcher}} */ (/** @type {unknown} */ (this.ctx.exports));
    const egress = Egress({ props: { user, tokenHash } });
    for (const name of ["r2.internal", "llm.internal", "web.internal"]) await this.container.interceptOutboundHttp(name, egress);
  }

  /** After this object's own eviction: the container may have gone on. */
  async #takeUp() {
    const start = this.#start;
    // In the middle of a start nobody knows the door token any more.
    if (!start?.ready) return this.container.destroy();
    await this.#openDoors(start.user, start.tokenHash);
    await this.container.setInactivityTimeout(inactivityMs);
    this.#watch();
    await this.#arm();
  }

  #watch() {
    this.endedBy = "";
    const ended = (/** @type {unknown} */ cause) => {
      this.endedBy = cause === undefined ? "" : String(cause);
      return this.#ended("the container ended");
    };
    this.ctx.waitUntil(this.container.monitor().then(() => ended(undefined), ended));
  }

  /**
   * Starts a container again that ended by itself while it was in use: what ran
   * in it goes on from the journal, whether somebody watches or not.
   * @param {string} why
   */
  async #ended(why) {
    const start = this.#start;
    if (this.stopping || this.starting || !start) return;
    this.#start = undefined;
    const used = start.busy || Date.now() - this.lastUse < this.sleepMs;
    this.#log(why, undefined);
    if (!used || ++this.deaths > maxDeaths) return;
    try {
      await this.#awake(start.user);
    } catch (cause) {
      this.#log("the container does not start again", cause);
    }
  }

  /** Asks the agent to end, and ends it if it does not. */
  async #stop() {
    this.stopping ??= this.#drain().finally(() => (this.stopping = undefined));
    await this.stopping;
  }

  async #drain() {
    const gone = this.container.monitor().catch(() => {});
    this.container.signal(15);
    if (!(await within(drainMs, gone.then(() => true)))) await this.container.destroy();
    this.#start = undefined;
    this.deaths = 0;
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

  async #arm() {
    const due = this.lastUse + this.sleepMs;
    await this.ctx.storage.setAlarm(Math.max(Date.now() + 500, Math.min(Date.now() + beatMs, due)));
  }

  /** @returns {Start | undefined} */
  get #start() {
    return this.ctx.storage.kv.get("start");
  }

  set #start(start) {
    if (start) this.ctx.storage.kv.put("start", start);
    else this.ctx.storage.kv.delete("start");
  }

  /** The number of the move with which the user left; requests of earlier ones are sent on. */
  get #left() {
    return Number(this.ctx.storage.kv.get("left") ?? 0);
  }

  set #left(move) {
    this.ctx.storage.kv.put("left", move);
  }

  /**
   * Something may have begun.
   * @param {string} user
   */
  #acted(user) {
    if (this.fresh) this.#tell(user, "thinking"); // what the container was woken for
    this.fresh = false;
    this.ctx.waitUntil(this.#stir(user));
  }

  /** @param {string} user */
  async #stir(user) {
    await this.env.USER?.getByName(user).stirred();
  }

  /**
   * @param {string} user
   * @param {import("./user.mjs").Phase} phase
   */
  #tell(user, phase) {
    if (this.quiet) return;
    const told = this.env.USER?.getByName(user).phase(phase) ?? Promise.resolve();
    this.ctx.waitUntil(told.catch(() => {}));
  }

  /**
   * @param {string} msg
   * @param {unknown} cause
   */
  #log(msg, cause) {
    console.warn(JSON.stringify({ level: "WARN", msg, agent: this.ctx.id.toString(), error: cause === undefined ? undefined : String(cause) }));
  }
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

/** @param {Uint8Array} bytes */
function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
