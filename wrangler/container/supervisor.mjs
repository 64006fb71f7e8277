/**
 * Supervises one container: starts it once, however many ask at the same time, keeps it
 * while something runs, stops it some time after, and restarts it when it dies in use.
 */
import { core } from "../edge/boot.mjs";
import { containerEnv, durationMs } from "./environment.mjs";
import { holdsOthers } from "../objects/agents.mjs";
import { drawKey, tokenOf } from "../egress/tokens.mjs";
import { activeRuns, hand, port, ready } from "./agent-client.mjs";
import { woke } from "../metrics/metrics.mjs";
import { within } from "../edge/wait.mjs";

/** How often it looks what runs. */
const beatMs = 30_000;
/** The platform ends a container whose timeout is not renewed for this long. */
const inactivityMs = 5 * 60_000;
/** The agent ends within 20 s of SIGTERM. */
const drainMs = 25_000;
/** How often in a row a container that died is started again unasked. */
const maxDeaths = 5;
/** Looks that may fail before the agent counts as stuck. */
const maxSilent = 4;

/**
 * What must outlive the object's eviction.
 * @typedef {{users: string[], shared?: boolean, key: string, keeper?: string, publicKey: string, ready: boolean, busy: boolean}} Start
 *   users: of whom something may run; shared: it has, or may get, tokens of several; key: what their egress tokens are made of;
 *   keeper: the token with which this object asks the agent what runs
 */

export class ContainerSupervisor {
  /**
   * @param {DurableObjectState} ctx
   * @param {Env} env
   * @param {import("./listeners.mjs").Listeners} listeners
   */
  constructor(ctx, env, listeners) {
    this.ctx = ctx;
    this.env = env;
    this.listeners = listeners;
    this.container = /** @type {Container} */ (ctx.container);
    this.sleepMs = durationMs(env.SLEEP_AFTER);
    this.lastUse = Date.now();
    this.wokeAt = Date.now(); // when the container last became ready
    this.deaths = 0;
    this.silent = 0;
    this.endedBy = ""; // why the container ended, if the platform said so
    /** @type {Promise<void> | undefined} */
    this.starting = undefined;
    /** @type {Promise<void> | undefined} */
    this.stopping = undefined;
    if (this.container.running) void ctx.blockConcurrencyWhile(() => this.#resume());
  }

  /** @returns {"asleep" | "starting" | "ready"} */
  get state() {
    if (this.starting) return "starting";
    return this.container.running && this.#start?.ready ? "ready" : "asleep";
  }

  /** Somebody uses it. */
  touch() {
    this.lastUse = Date.now();
  }

  /**
   * Waits until the agent is ready, and starts it if need be.
   * @param {string[]} users of whom something may run
   */
  async awake(users) {
    await core.open(this.env);
    await this.stopping;
    const start = this.#start;
    if (this.container.running && start?.ready && start.publicKey !== core.publicKey()) {
      await this.stop();
      users = [...users, ...start.users]; // what ran goes on in the next one
    }
    if (this.state === "ready") return;
    this.starting ??= this.#begin(users).finally(() => {
      this.starting = undefined;
      this.listeners.clear();
    });
    this.ctx.waitUntil(this.starting.catch(() => {}));
    await this.starting;
  }

  /**
   * A user's egress token in this start. From now on something of this user's may run.
   * @param {string} user
   */
  async token(user) {
    const start = this.#start;
    if (!start) throw new Error("the container has just ended");
    if (!start.users.includes(user)) {
      const users = [...start.users, user];
      const shared = holdsOthers(this.env, { ...start, users });
      this.#start = { ...start, users, shared };
      if (shared !== Boolean(start.shared)) await this.#openEgress({ key: start.key, shared }); // before it has that token
    }
    return tokenOf(start.key, user);
  }

  /** @param {Request} request */
  fetch(request) {
    return this.container.getTcpPort(port).fetch(request);
  }

  /**
   * Whether something of a user's runs, or may be about to. An agent that does not
   * answer runs nothing that could end here.
   * @param {string} user
   */
  async runs(user) {
    await this.stopping;
    if (this.starting) return true;
    return this.container.running && Boolean((await this.#runs(user))?.active);
  }

  /**
   * Nothing of a user's runs here any more.
   * @param {string} user
   * @returns {boolean} whether it runs for no user now
   */
  release(user) {
    const start = this.#start;
    if (!start) return false;
    const users = start.users.filter((other) => other !== user);
    this.#start = { ...start, users };
    return users.length === 0 && this.container.running;
  }

  /**
   * Looks what runs, and stops the container when nothing has for a while.
   * @param {boolean} wanted whether somebody waits for an answer of it
   */
  async look(wanted) {
    if (!this.container.running) return this.#ended("the container ended between two looks");
    const runs = await this.#runs();
    const now = Date.now();
    if (!runs && ++this.silent >= maxSilent) {
      warn(this.ctx, "the agent does not answer; its container is ended", undefined);
      await this.container.destroy();
      return;
    }
    if (runs) this.silent = 0;
    if (runs && now - this.wokeAt > inactivityMs) this.deaths = 0;
    const start = this.#start; // only now: users may have come while it was asked
    const busy = Boolean(runs?.active);
    if (start && start.busy !== busy) this.#start = { ...start, busy };
    if (busy) this.lastUse = now;
    if (busy && start) await this.listeners.wake(runs?.users ?? start.users);
    if (now - this.lastUse >= this.sleepMs && !wanted) return this.stop();
    await this.container.setInactivityTimeout(inactivityMs);
    await this.#arm();
  }

  /** Asks the agent to end, and ends it if it does not. */
  async stop() {
    this.stopping ??= this.#drain().finally(() => (this.stopping = undefined));
    await this.stopping;
  }

  /** Ends it, and all that is known of it. */
  async forget() {
    this.#start = undefined;
    await this.ctx.storage.deleteAlarm();
    if (this.container.running) await this.container.destroy();
  }

  /** @param {string} [user] */
  #runs(user) {
    return activeRuns(this.container, this.#start?.keeper ?? "", user);
  }

  /** @param {string[]} wanted who asks, or ran something in a container that ended */
  async #begin(wanted) {
    const users = [...new Set([...wanted, ...(this.#start?.users ?? [])])];
    this.silent = 0;
    this.listeners.announce("waking");
    woke(this.env);
    if (this.container.running) await this.container.destroy();
    const [key, keeper] = [drawKey(), drawKey()]; // named as they are stored
    const publicKey = core.publicKey();
    const shared = holdsOthers(this.env, { users });
    this.#start = { users, shared, key, keeper, publicKey, ready: false, busy: false };
    await this.#openEgress({ key, shared });
    this.container.start({ env: containerEnv(this.env, publicKey, this.ctx.id.toString()), enableInternet: false });
    await this.container.setInactivityTimeout(inactivityMs);
    this.#watch();
    const why = () => this.endedBy;
    await hand(this.container, await Promise.all(users.map(async (user) => [user, await tokenOf(key, user)])), keeper, why);
    this.listeners.announce("restoring");
    await ready(this.container, why);
    this.#start = { users, shared, key, keeper, publicKey, ready: true, busy: true };
    this.wokeAt = Date.now();
    this.listeners.announce("ready");
    await this.#arm();
    await this.listeners.wake(users);
  }

  /**
   * The egress proxy is the only way out of this container.
   * @param {import("../egress/egress.mjs").Props} props
   */
  async #openEgress(props) {
    const { Egress } = /** @type {{Egress: (options: {props: import("../egress/egress.mjs").Props}) => Fetcher}} */ (/** @type {unknown} */ (this.ctx.exports));
    const egress = Egress({ props });
    for (const name of ["r2.internal", "llm.internal", "web.internal", "mcp.internal"]) await this.container.interceptOutboundHttp(name, egress);
  }

  /** After the object's eviction: the container may have gone on. */
  async #resume() {
    const start = this.#start;
    // It is not known how far a start had come that was interrupted.
    if (!start?.ready) return this.container.destroy();
    await this.#openEgress({ key: start.key, shared: holdsOthers(this.env, start) });
    await this.container.setInactivityTimeout(inactivityMs);
    // It is not watched: a wait for its end keeps this object in memory, and is paid for.
    // The alarm looks whether it is there.
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
    warn(this.ctx, why, undefined);
    // The next start has all users of this one.
    this.#start = used ? { ...start, ready: false } : undefined;
    if (!used || start.users.length === 0 || ++this.deaths > maxDeaths) return;
    for (const user of start.users) this.listeners.add(user);
    try {
      await this.awake(start.users);
    } catch (cause) {
      warn(this.ctx, "the container does not start again", cause);
      await this.#arm();
    }
  }

  async #drain() {
    const gone = this.container.monitor().catch(() => {});
    this.container.signal(15);
    if (!(await within(drainMs, gone.then(() => true)))) await this.container.destroy();
    this.#start = undefined;
    this.deaths = 0;
  }

  async #arm() {
    const due = this.lastUse + this.sleepMs;
    await this.ctx.storage.setAlarm(Math.max(Date.now() + 500, Math.min(Date.now() + beatMs, due)));
  }

  /** @returns {Start | undefined} */
  get #start() {
    return this.ctx.storage.kv.get("kept");
  }

  set #start(start) {
    if (start) this.ctx.storage.kv.put("kept", start);
    else this.ctx.storage.kv.delete("kept");
  }
}

/**
 * @param {DurableObjectState} ctx
 * @param {string} msg
 * @param {unknown} cause
 */
export function warn(ctx, msg, cause) {
  console.warn(JSON.stringify({ level: "WARN", msg, agent: ctx.id.toString(), error: cause === undefined ? undefined : String(cause) }));
}
