/**
 * The object of one user's agent in one generation, or of everybody's with
 * AGENT_PLACEMENT=single: keeps one container and nothing else. It starts it when a
 * request comes, however many ask at once, keeps it exactly while something runs,
 * and stops it some time after, or when its one user moves to the other generation.
 */
import { DurableObject } from "cloudflare:workers";
import { failHeader, moveHeader, objectOf, shared, userHeader } from "./agents.mjs";
import { core } from "./boot.mjs";
import { containerEnv, durationMs, isFull } from "./container.mjs";
import { drawKey, tokenOf } from "./doors/tokens.mjs";
import { Guests } from "./guests.mjs";
import { activeRuns, doorHeader, hand, port, ready } from "./inside.mjs";
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
/** Version 0.2 has another shape under "start", which neither version may take for its own. */
const startKey = "start 2";
/** Looks that may fail before the agent counts as stuck. */
const maxSilent = 4;

/**
 * What must outlive this object's eviction.
 * @typedef {{users: string[], key: string, publicKey: string, ready: boolean, busy: boolean}} Start
 *   of whom something may run, and what their tokens for the doors are made of
 */

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
    this.guests = new Guests(ctx.storage.kv);
    /** @type {Set<string>} whom a start is told to; a user who is still elsewhere hears nothing of it */
    this.audience = new Set();
    /** @type {Set<string>} for whom it was woken, and who has not asked anything of it yet */
    this.fresh = new Set();
    this.endedBy = ""; // why the container ended, if the platform said so
    this.brokeAt = 0; // when a start for a user who is to move here last failed
    this.wokeAt = Date.now(); // when the container last became ready
    /** @type {Promise<void> | undefined} */
    this.starting = undefined;
    /** @type {Promise<void> | undefined} */
    this.stopping = undefined;
    this.#inherit();
    if (this.container.running) void ctx.blockConcurrencyWhile(() => this.#takeUp());
  }

  /**
   * Relays a request of the gateway's, untouched.
   * @param {Request} request
   * @returns {Promise<Response>}
   */
  async fetch(request) {
    const user = decodeURIComponent(request.headers.get(userHeader) ?? "");
    await this.guests.leaving.get(user);
    const left = this.guests.left(user);
    if (Number(request.headers.get(moveHeader)) < left) return this.#sendOn(request, user, left);
    this.lastUse = Date.now();
    if (this.state() !== "ready") this.audience.add(user);
    const exit = this.guests.enter(user);
    try {
      const awake = await within(patienceMs, this.#awake([user]));
      return awake ? await this.#relay(request, user) : this.#failed(user, "waking");
    } catch (cause) {
      this.#log("the container does not start", cause);
      return this.#failed(user, isFull(cause) ? "full" : "start");
    } finally {
      exit();
    }
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
    this.lastUse = Date.now();
    const broke = (/** @type {unknown} */ cause) => {
      this.brokeAt = Date.now();
      this.#log("the container does not start for a user who is to move here", cause);
      this.#count(user, true, undefined);
    };
    this.ctx.waitUntil(this.#awake([user]).catch(broke));
    return false;
  }

  /**
   * A user moves to the other generation, if nothing of theirs runs here. What was on
   * its way is sent on.
   * @param {string} user
   * @param {number} move the number of that move
   * @param {number} waitMs how long runs are waited for; what is asked meanwhile waits, too
   */
  async leave(user, move, waitMs) {
    if (this.guests.left(user) >= move) return true;
    const { leaving } = this.guests;
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
    await this.stopping;
    // An agent that does not answer runs nothing that could end here.
    while (this.guests.of(user) > 0 || this.starting || (this.container.running && (await activeRuns(this.container, user))?.active)) {
      if (Date.now() >= end) return false;
      await sleep(30);
    }
    this.guests.leave(user, move);
    const start = this.#start;
    if (!start) return true;
    const users = start.users.filter((other) => other !== user);
    this.#start = { ...start, users };
    if (users.length === 0 && this.guests.none && this.container.running) this.ctx.waitUntil(this.#stop());
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
   * The user was the rollout's own, who shares nothing as long as LOONGCLAW_CANARY
   * names it, and is gone.
   * @param {string} user
   */
  async forget(user) {
    this.guests.forget(user);
    if (shared(this.env, user)) return;
    this.#start = undefined;
    await this.ctx.storage.deleteAlarm();
    if (this.container.running) await this.container.destroy();
  }

  /** Looks what runs, and stops the container when nothing has for a while. */
  async alarm() {
    if (!this.container.running) return this.#ended("the container ended while nobody looked");
    const runs = await activeRuns(this.container);
    const now = Date.now();
    if (!runs && ++this.silent >= maxSilent) {
      this.#log("the agent does not answer; its container is ended", undefined);
      await this.container.destroy();
      return;
    }
    if (runs) this.silent = 0;
    if (runs && now - this.wokeAt > inactivityMs) this.deaths = 0;
    const start = this.#start; // only now: users may have come while it was asked
    const busy = Boolean(runs?.active);
    if (start && start.busy !== busy) this.#start = { ...start, busy };
    if (busy) this.lastUse = now;
    if (busy && start) await Promise.all((runs?.users ?? start.users).map((user) => this.#stir(user)));
    if (now - this.lastUse >= this.sleepMs && this.guests.none) return this.#stop();
    await this.container.setInactivityTimeout(inactivityMs);
    await this.#arm();
  }

  /**
   * @param {Request} request
   * @param {string} user
   */
  async #relay(request, user) {
    const begin = Date.now();
    try {
      const headers = new Headers(request.headers);
      headers.set(doorHeader, await this.#token(user));
      const answer = await this.container.getTcpPort(port).fetch(new Request(request, { headers }));
      this.lastUse = Date.now();
      const waits = slowPaths.includes(new URL(request.url).pathname);
      // From 502 on it tells of a provider, or that it is full: that is no fault of the generation's.
      this.#count(user, answer.status === 500, waits ? undefined : this.lastUse - begin);
      if (request.method !== "GET" && answer.ok) this.#acted(user);
      if (!answer.headers.has(failHeader)) return answer;
      const told = new Headers(answer.headers);
      told.delete(failHeader); // nobody but this object may say it
      return new Response(answer.body, { status: answer.status, headers: told });
    } catch (cause) {
      this.#log("the agent broke off", cause);
      return this.#failed(user, "broken");
    }
  }

  /**
   * What opens the doors for a user in this start. Of whom it was given out something
   * may run from now on.
   * @param {string} user
   */
  async #token(user) {
    const start = this.#start;
    if (!start) throw new Error("the container has just ended");
    if (!start.users.includes(user)) this.#start = { ...start, users: [...start.users, user] };
    return tokenOf(start.key, user);
  }

  /**
   * Waits until the agent is ready, and starts it if need be.
   * @param {string[]} users of whom something may run
   */
  async #awake(users) {
    await core.open(this.env);
    await this.stopping;
    const start = this.#start;
    if (this.container.running && start?.ready && start.publicKey !== core.publicKey()) {
      await this.#stop();
      users = [...users, ...start.users]; // what ran goes on in the next one
    }
    if (this.container.running && this.#start?.ready && !this.starting) return;
    this.starting ??= this.#begin(users).finally(() => {
      this.starting = undefined;
      this.audience = new Set();
    });
    this.ctx.waitUntil(this.starting.catch(() => {}));
    await this.starting;
  }

  /** @param {string[]} wanted who asks, or ran something in a container that ended */
  async #begin(wanted) {
    const users = [...new Set([...wanted, ...(this.#start?.users ?? [])])];
    this.silent = 0;
    this.#tell("waking");
    woke(this.env);
    if (this.container.running) await this.container.destroy();
    const key = drawKey();
    const publicKey = core.publicKey();
    this.#start = { users, key, publicKey, ready: false, busy: false };
    await this.#openDoors(key);
    this.container.start({ env: containerEnv(this.env, publicKey, this.ctx.id.toString()), enableInternet: false });
    await this.container.setInactivityTimeout(inactivityMs);
    this.#watch();
    const why = () => this.endedBy;
    await hand(this.container, await Promise.all(users.map(async (user) => [user, await tokenOf(key, user)])), why);
    this.#tell("restoring");
    await ready(this.container, why);
    this.#start = { users, key, publicKey, ready: true, busy: true };
    this.wokeAt = Date.now();
    this.#tell("ready");
    this.fresh = this.audience;
    await this.#arm();
    await Promise.all(users.map((user) => this.#stir(user)));
  }

  /**
   * The doors are this container's only ways out.
   * @param {string} key what the tokens for them are made of
   */
  async #openDoors(key) {
    const { Egress } = /** @type {{Egress: (options: {props: import("./egress.mjs").Props}) => Fetcher}} */ (/** @type {unknown} */ (this.ctx.exports));
    const egress = Egress({ props: { key } });
    for (const name of ["r2.internal", "llm.internal", "web.internal"]) await this.container.interceptOutboundHttp(name, egress);
  }

  /** What version 0.2 started is ended, and what ran in it goes on in a new container. */
  #inherit() {
    const { kv } = this.ctx.storage;
    /** @type {{user: string, busy: boolean} | undefined} */
    const old = kv.get("start");
    if (!old) return;
    kv.delete("start");
    this.#start ??= { users: [old.user], key: "", publicKey: "", ready: false, busy: old.busy };
  }

  /** After this object's own eviction: the container may have gone on. */
  async #takeUp() {
    const start = this.#start;
    // In the middle of a start nobody knows how far it came.
    if (!start?.ready) return this.container.destroy();
    await this.#openDoors(start.key);
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
    const used = start.busy || Date.now() - this.lastUse < this.sleepMs;
    this.#log(why, undefined);
    // Whoever starts it again, brings all who were here.
    this.#start = used ? { ...start, ready: false } : undefined;
    if (!used || start.users.length === 0 || ++this.deaths > maxDeaths) return;
    for (const user of start.users) this.audience.add(user);
    try {
      await this.#awake(start.users);
    } catch (cause) {
      this.#log("the container does not start again", cause);
      await this.#arm();
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
    return this.ctx.storage.kv.get(startKey);
  }

  set #start(start) {
    if (start) this.ctx.storage.kv.put(startKey, start);
    else this.ctx.storage.kv.delete(startKey);
  }

  /**
   * Something may have begun.
   * @param {string} user
   */
  #acted(user) {
    if (this.fresh.delete(user)) this.#tell("thinking", [user]); // what the container was woken for
    this.ctx.waitUntil(this.#stir(user));
  }

  /** @param {string} user */
  async #stir(user) {
    // Who cannot be told hears of it at the next time; the others must not wait for that.
    await this.env.USER?.getByName(user).stirred().catch(() => {});
  }

  /**
   * @param {import("./user.mjs").Phase} phase
   * @param {Iterable<string>} users
   */
  #tell(phase, users = this.audience) {
    for (const user of users) {
      const told = this.env.USER?.getByName(user).phase(phase) ?? Promise.resolve();
      this.ctx.waitUntil(told.catch(() => {}));
    }
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
