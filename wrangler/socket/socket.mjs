/**
 * One client's WebSocket. What must outlive the object's eviction stands in its
 * attachment: who it speaks for, and where it is in each session that it follows.
 */
import { agentOf } from "../objects/agents.mjs";
import { core } from "../edge/boot.mjs";
import { take } from "../limits/token-bucket.mjs";
import { frameRate } from "../limits/open.mjs";
import { Relay } from "./relay.mjs";

/** How many calls of one socket may wait for the agent. */
const maxPending = 32;
/** How many sessions one socket may follow. */
const maxFollowed = 64;
/** How long their names and cursors may be together: an attachment holds 16 KiB. */
const maxAttached = 7_000;
/** How long an agent may take to answer a call, once it is awake. */
const answerMs = 60_000;
/** How often a call waits anew for a container that takes long to start. */
const maxWakes = 4;
/** A cursor is no longer than this. */
const maxCursor = 100;
/** The close code of RFC 6455 for a client that goes beyond what is allowed. */
const closePolicy = 1008;
/** What is read of a frame: enough for the core to see that one is too long. */
const maxRead = 1 << 20;

/**
 * @typedef {import("../edge/message.mjs").Identity} Identity
 * @typedef {import("../edge/message.mjs").Call} Call
 * @typedef {{identity: Identity, follows: [session: string, cursor: string, tail?: string][]}} Attached sessions with their cursors, or how many of their last turns they begin with
 * @typedef {(question: import("../edge/message.mjs").LimitQuestion) => import("../edge/message.mjs").LimitAnswer} Take
 * @typedef {() => Promise<import("../objects/agents.mjs").Place>} Find
 */

export class Socket {
  /**
   * @param {WebSocket} ws
   * @param {Env} env
   * @param {Take} take counts against the user's limits
   * @param {Find} find where the user's container is
   * @param {Attached} attached
   */
  constructor(ws, env, take, find, attached) {
    this.ws = ws;
    this.env = env;
    this.take = take;
    this.find = find;
    this.identity = attached.identity;
    this.pending = 0;
    this.frames = 0; // when the bucket of frames is full
    this.queue = Promise.resolve();
    /** @type {Map<string, Relay>} */
    this.relays = new Map();
    for (const [session, cursor, tail] of attached.follows) this.relays.set(session, this.#relay(session, cursor, tail));
  }

  /** The first frame, and the attachment. */
  greet() {
    this.#save();
    this.send(core.connected(this.identity));
  }

  /**
   * A frame of the client's.
   * @param {string | ArrayBuffer} frame
   */
  async receive(frame) {
    const { full, allowed } = take(this.frames, frameRate, Date.now());
    if (!allowed) return this.close({ code: closePolicy, reason: "too many frames: send fewer, and connect again" });
    this.frames = full;
    const read = frame.slice(0, maxRead);
    let decision = core.frame(this.identity, read, []);
    if (decision.limit) decision = core.frame(this.identity, read, [this.take(decision.limit)]);
    for (const text of decision.send ?? []) this.send(text);
    if (decision.close) return this.close(decision.close);
    if (decision.call) await this.#enqueue(decision.call);
  }

  /** Something may run: sends what is new in the sessions that it follows. */
  wake() {
    for (const relay of this.relays.values()) relay.wake();
  }

  /** @param {string} text */
  send(text) {
    try {
      this.ws.send(text);
    } catch {
      this.end(); // it closed meanwhile
    }
  }

  /** @param {{code: number, reason: string}} close */
  close({ code, reason }) {
    this.end();
    try {
      this.ws.close(code, reason);
    } catch {
      // It closed meanwhile.
    }
  }

  end() {
    for (const relay of this.relays.values()) relay.stop();
    this.relays.clear();
  }

  /**
   * Calls are made in the order of their frames.
   * @param {Call} call
   */
  #enqueue(call) {
    if (this.pending >= maxPending) return this.send(core.failure(call.session, "queue"));
    this.pending++;
    this.queue = this.queue.then(() => this.#make(call)).finally(() => this.pending--);
    return this.queue;
  }

  /** @param {Call} call */
  async #make(call) {
    if (call.then === "relay") {
      const from = new URL(call.target, "http://agent").searchParams;
      return this.#follow(call.session, from.get("after") ?? "", true, from.get("tail") ?? undefined);
    }
    try {
      const { answer, failed } = await this.#ask(call);
      if (failed) return this.send(core.failure(call.session, failed));
      const body = await answer.text();
      if (!answer.ok) return this.send(core.refusal(call.session, answer.status, body));
      this.#answered(call, body);
    } catch (cause) {
      const late = cause instanceof Error && cause.name === "TimeoutError";
      this.send(core.failure(call.session, late ? "timeout" : "broken"));
    }
  }

  /**
   * @param {Call} call
   * @param {string} body
   */
  #answered(call, body) {
    switch (call.then) {
      case "follow":
        return this.#follow(call.session, JSON.parse(body).cursor, false);
      case "history":
        return this.send(`{"type":"history",${body.trim().slice(1)}`);
      case "cleared":
        // A follower of the session is told by its stream.
        if (!this.relays.has(call.session)) this.send(JSON.stringify({ type: "history_cleared", sessionId: call.session }));
    }
  }

  /**
   * While the container starts nothing has reached the agent, so that asking
   * again doubles nothing.
   * @param {Call} call
   */
  async #ask(call) {
    const reach = agentOf(this.env, call.agent, this.identity.user, false, this.find);
    const init = { method: call.method, headers: call.set, body: call.body, signal: AbortSignal.timeout(answerMs) };
    let found = await reach(call.target, init);
    for (let i = 1; found.failed === "waking" && i < maxWakes; i++) {
      await found.answer.body?.cancel();
      found = await reach(call.target, { ...init, signal: AbortSignal.timeout(answerMs) });
    }
    return found;
  }

  /**
   * @param {string} session
   * @param {string} cursor
   * @param {boolean} anew the client asked for this place; else a session that is followed stays where it is
   * @param {string} [tail] how many of the last turns it begins with, where there is no cursor
   */
  #follow(session, cursor, anew, tail) {
    const known = this.relays.get(session);
    if (known && !anew) return known.wake();
    if (!known && this.#full(session)) return this.send(core.failure(session, "many"));
    known?.stop();
    const relay = this.#relay(session, cursor, tail);
    this.relays.set(session, relay);
    this.#save();
    relay.wake();
  }

  /**
   * @param {string} session
   * @param {string} cursor
   * @param {string} [tail]
   */
  #relay(session, cursor, tail) {
    const placed = (/** @type {Relay} */ relay) => {
      if (this.relays.get(relay.session) === relay) this.#save();
    };
    return new Relay(session, cursor, {
      open: (name, after, signal) => this.#events(name, after, tail, signal),
      deliver: (relay, data) => {
        this.send(data);
        placed(relay);
      },
      placed,
      refused: (relay, status, body) => {
        this.#forget(relay);
        this.send(core.refusal(relay.session, status, body));
      },
      failed: (relay, kind) => this.send(core.failure(relay.session, kind)),
    }, tail);
  }

  /**
   * @param {string} session
   * @param {string} cursor
   * @param {string | undefined} tail
   * @param {AbortSignal} signal
   */
  async #events(session, cursor, tail, signal) {
    const expired = core.expired(this.identity);
    if (expired) this.close(expired);
    const call = core.follow(this.identity, session);
    const from = new URLSearchParams({ until: "idle" });
    if (cursor) from.set("after", cursor);
    else if (tail !== undefined) from.set("tail", tail);
    return agentOf(this.env, call.agent, this.identity.user, true, this.find)(`${call.target}?${from}`, { headers: call.set, signal });
  }

  /** @param {Relay} relay */
  #forget(relay) {
    if (this.relays.get(relay.session) !== relay) return;
    this.relays.delete(relay.session);
    this.#save();
  }

  /** @param {string} session */
  #full(session) {
    const held = JSON.stringify(this.#attached()).length + 2 * session.length + maxCursor;
    return this.relays.size >= maxFollowed || held > maxAttached;
  }

  #save() {
    this.ws.serializeAttachment(this.#attached());
  }

  /** @returns {Attached} */
  #attached() {
    const follows = [...this.relays].map(([session, { cursor, tail }]) => /** @type {Attached["follows"][number]} */ (cursor || tail === undefined ? [session, cursor] : [session, cursor, tail]));
    return { identity: this.identity, follows };
  }
}
