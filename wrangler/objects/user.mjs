/**
 * The object of one user: holds the user's sockets, counts against the user's
 * limits exactly, remembers what was spent, knows where the user's agent is, and keeps
 * what is secret of the user's servers of tools.
 * It sleeps while the sockets are silent.
 */
import { objectOf } from "./agents.mjs";
import { SecretsObject } from "./secrets.mjs";
import { core } from "../edge/boot.mjs";
import { takeLeased } from "../limits/lease.mjs";
import { most } from "../limits/open.mjs";
import { watchPath } from "../edge/list-stream.mjs";
import { slotOf, slots } from "../rollout/slots.mjs";
import { Socket } from "../socket/socket.mjs";

/**
 * @typedef {import("../socket/socket.mjs").Attached} Attached
 * @typedef {"waking" | "restoring" | "ready" | "thinking"} Phase
 */

/** How long a user whose agent is busy stays with it before that is asked again. */
const busyMs = 500;
/** How long the end of a run is waited for: after it there is a little to write. */
const restMs = 300;
/** A user whose runs never end cannot be moved. After the first time, and then now and then, requests wait for the second until the runs have ended. */
const impatientMs = 30_000;
const holdMs = 10_000;
/** The tag of the sockets of paused streams; all others are clients'. */
const paused = "watch";

export class User extends SecretsObject {
  /**
   * @param {DurableObjectState} ctx
   * @param {Env} env
   */
  constructor(ctx, env) {
    super(ctx, env, "u");
    /** @type {Map<WebSocket, Socket>} those that had something to do since the object woke */
    this.sockets = new Map();
    /** @type {Promise<import("./agents.mjs").Place> | undefined} */
    this.moving = undefined;
    this.busyUntil = 0;
    this.wanted = 0; // since when the user should move, or was last held for it
    // Whoever pings in these very words is answered without waking the object.
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair('{"type":"ping"}', '{"type":"pong"}'));
    ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS spent (key TEXT PRIMARY KEY, until INTEGER NOT NULL)");
  }

  /**
   * Asks for one more, and says where to go with it when it is allowed. An isolate that
   * says who it is may get a share of what is left, too.
   * @param {import("../edge/message.mjs").LimitQuestion} question
   * @param {import("../limits/lease.mjs").Asker} [asker]
   * @returns {Promise<import("../edge/message.mjs").LimitAnswer & {lease?: import("../limits/lease.mjs").Lease, place?: import("./agents.mjs").Place}>}
   */
  async take(question, asker) {
    const answer = this.count(question, asker);
    if (!answer.allowed || !this.env.AGENT_BLUE || this.env.AGENT_URL) return answer;
    return { ...answer, place: await this.place(question.key.slice(question.class.length + 1)) };
  }

  /**
   * Asks for one more, and counts it when it is allowed.
   * @param {import("../edge/message.mjs").LimitQuestion} question
   * @param {import("../limits/lease.mjs").Asker} [asker]
   * @returns {import("../edge/message.mjs").LimitAnswer & {lease?: import("../limits/lease.mjs").Lease}}
   */
  count(question, asker) {
    const { kv } = this.ctx.storage;
    const name = `bucket ${question.class}`;
    /** @type {import("../limits/lease.mjs").Bucket} */
    const known = kv.get(name) ?? { full: 0, out: [] };
    const { bucket, answer } = takeLeased(known, question, Date.now(), asker, () => crypto.randomUUID());
    if (answer.allowed || asker?.ended) kv.put(name, bucket);
    return { key: question.key, ...answer };
  }

  /**
   * Where the user's agent is. When the switch has moved the user moves, too, but
   * not from under a run, which ends where it began, and not before the container
   * there is awake, so that no request waits for a deploy.
   * @param {string} user
   * @param {import("../rollout/slots.mjs").View} [view] what the switch said just now
   * @returns {Promise<import("./agents.mjs").Place>}
   */
  async place(user, view) {
    if (view) slots.learn(view);
    const want = slotOf(await slots.now(this.env, (look) => this.ctx.waitUntil(look)), user);
    const { kv } = this.ctx.storage;
    /** @type {import("./agents.mjs").Place | undefined} */
    const place = kv.get("place");
    if (!place) kv.put("place", { slot: want, move: 1 });
    if (!place) return { slot: want, move: 1 };
    if (place.slot === want || (!view && Date.now() < this.busyUntil)) return place;
    this.moving ??= this.#move(user, place, want, Boolean(view)).finally(() => (this.moving = undefined));
    return this.moving;
  }

  /**
   * @param {string} user
   * @param {import("./agents.mjs").Place} from
   * @param {import("../rollout/slots.mjs").Slot} slot
   * @param {boolean} cold whether the user moves though the container there is not awake yet
   */
  async #move(user, from, slot, cold) {
    const [here, there] = [from.slot, slot].map((name) => objectOf(this.env, name, user));
    const to = { slot, move: from.move + 1 };
    const welcome = cold || (await here.state()) === "asleep" || (await there.ready(user));
    if (!welcome) this.wanted = 0;
    else this.wanted ||= Date.now();
    const hold = this.wanted > 0 && Date.now() - this.wanted > impatientMs;
    if (hold) this.wanted = Date.now();
    if (welcome && (await here.leave(user, to.move, hold ? holdMs : restMs))) {
      this.ctx.storage.kv.put("place", to);
      this.wanted = 0;
      return to;
    }
    this.busyUntil = Date.now() + busyMs;
    return from;
  }

  /**
   * How the user's agent is. Asking wakes and moves nothing.
   * @param {string} user
   */
  async agentState(user) {
    /** @type {import("./agents.mjs").Place | undefined} */
    const place = this.ctx.storage.kv.get("place");
    return place ? objectOf(this.env, place.slot, user).state() : "asleep";
  }

  /** Erases the user, who was the rollout's canary. */
  forget() {
    for (const ws of this.ctx.getWebSockets()) ws.close(1000, "gone");
    this.ctx.storage.kv.delete("place");
    this.ctx.storage.sql.exec("DELETE FROM spent");
    this.servers.clear();
  }

  /**
   * Marks a key as spent.
   * @param {string} key
   * @param {number} until when it may be forgotten, in Unix milliseconds; 0 is never
   * @returns {boolean} whether this call did it
   */
  spend(key, until) {
    const { sql } = this.ctx.storage;
    sql.exec("DELETE FROM spent WHERE until <> 0 AND until < ?", Date.now());
    return sql.exec("INSERT OR IGNORE INTO spent (key, until) VALUES (?, ?) RETURNING key", key, until).toArray().length === 1;
  }

  /**
   * Accepts a socket that the gateway has let in.
   * @param {Request} request
   */
  async fetch(request) {
    if (new URL(request.url).pathname === watchPath) return this.#acceptPaused();
    await core.open(this.env);
    if (this.#clients().length >= most(this.env, "MAX_OPEN_SOCKETS")) return new Response(null, { status: 429 });
    /** @type {import("../edge/message.mjs").Identity} */
    const identity = JSON.parse(decodeURIComponent(request.headers.get("X-LoongClaw-Identity") ?? ""));
    const { 0: client, 1: ws } = new WebSocketPair();
    this.ctx.acceptWebSocket(ws);
    const socket = this.#socketOf(ws, { identity, follows: [] });
    socket.greet();
    await this.#arm(identity.expires);
    return new Response(null, { status: 101, webSocket: client });
  }

  /** Accepts a paused stream, which is told when something may run again. */
  #acceptPaused() {
    if (this.ctx.getWebSockets(paused).length >= most(this.env, "MAX_OPEN_STREAMS")) return new Response(null, { status: 429 });
    const { 0: stream, 1: ws } = new WebSocketPair();
    this.ctx.acceptWebSocket(ws, [paused]);
    return new Response(null, { status: 101, webSocket: stream });
  }

  /** The sockets of the user's clients. */
  #clients() {
    return this.ctx.getWebSockets().filter((ws) => !this.ctx.getTags(ws).includes(paused));
  }

  /**
   * @param {WebSocket} ws
   * @param {string | ArrayBuffer} message
   */
  async webSocketMessage(ws, message) {
    await core.open(this.env);
    await this.#socketOf(ws).receive(message);
  }

  /**
   * @param {WebSocket} ws
   * @param {number} code
   * @param {string} reason
   */
  webSocketClose(ws, code, reason) {
    this.sockets.get(ws)?.end();
    this.sockets.delete(ws);
    // 1005 and 1006 mean that there was no code, and may not be sent.
    ws.close(code === 1005 || code === 1006 ? 1000 : code, reason);
  }

  /** @param {WebSocket} ws */
  webSocketError(ws) {
    this.sockets.get(ws)?.end();
    this.sockets.delete(ws);
  }

  /** Ends the sockets whose credential has run out. */
  async alarm() {
    await core.open(this.env);
    for (const ws of this.#clients()) {
      const socket = this.#socketOf(ws);
      const expired = core.expired(socket.identity);
      if (expired) socket.close(expired);
      else await this.#arm(socket.identity.expires);
    }
  }

  /** The user's agent may have begun to run something: every follower continues. */
  async wake() {
    for (const ws of this.ctx.getWebSockets(paused)) {
      try {
        ws.send("wake");
      } catch {
        // It closed meanwhile.
      }
    }
    const clients = this.#clients();
    if (clients.length === 0) return;
    await core.open(this.env);
    for (const ws of clients) this.#socketOf(ws).wake();
  }

  /**
   * What the container is doing.
   * @param {Phase} phase
   */
  async phase(phase) {
    for (const ws of this.#clients()) ws.send(JSON.stringify({ type: "status", phase }));
  }

  /**
   * @param {WebSocket} ws
   * @param {Attached} [attached]
   */
  #socketOf(ws, attached) {
    let socket = this.sockets.get(ws);
    if (!socket) {
      const from = attached ?? ws.deserializeAttachment();
      socket = new Socket(ws, this.env, (question) => this.count(question), () => this.place(from.identity.user), from);
      this.sockets.set(ws, socket);
    }
    return socket;
  }

  /** @param {number | undefined} expires Unix seconds */
  async #arm(expires) {
    if (!expires) return;
    const at = expires * 1000;
    const set = await this.ctx.storage.getAlarm();
    if (set === null || at < set) await this.ctx.storage.setAlarm(at);
  }
}
