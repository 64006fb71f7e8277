/**
 * The object of one user: holds the user's sockets, counts against the user's
 * limits exactly, and remembers what was spent. It sleeps while the sockets are
 * silent.
 */
import { DurableObject } from "cloudflare:workers";
import { core } from "./boot.mjs";
import { take } from "./bucket.mjs";
import { Socket } from "./socket.mjs";

/**
 * @typedef {import("./socket.mjs").Attached} Attached
 * @typedef {"waking" | "restoring" | "ready" | "thinking"} Phase
 */

export class User extends DurableObject {
  /**
   * @param {DurableObjectState} ctx
   * @param {Env} env
   */
  constructor(ctx, env) {
    super(ctx, env);
    this.env = env;
    /** @type {Map<WebSocket, Socket>} those that had something to do since the object woke */
    this.sockets = new Map();
    // Whoever pings in these very words is answered without waking the object.
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair('{"type":"ping"}', '{"type":"pong"}'));
    ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS spent (key TEXT PRIMARY KEY, until INTEGER NOT NULL)");
  }

  /**
   * Asks for one more, and counts it when it is allowed.
   * @param {import("./message.mjs").LimitQuestion} question
   * @returns {import("./message.mjs").LimitAnswer}
   */
  take(question) {
    const { kv } = this.ctx.storage;
    const name = `limit ${question.class}`;
    const { full, ...answer } = take(Number(kv.get(name) ?? 0), question, Date.now());
    if (answer.allowed) kv.put(name, full);
    return { key: question.key, ...answer };
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
    await core.open(this.env);
    /** @type {import("./message.mjs").Identity} */
    const identity = JSON.parse(decodeURIComponent(request.headers.get("X-LoongClaw-Identity") ?? ""));
    const { 0: client, 1: ws } = new WebSocketPair();
    this.ctx.acceptWebSocket(ws);
    const socket = this.#socketOf(ws, { identity, follows: [] });
    socket.greet();
    await this.#arm(identity.expires);
    return new Response(null, { status: 101, webSocket: client });
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
    // 1005 and 1006 say that there was no code; nobody may send them.
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
    for (const ws of this.ctx.getWebSockets()) {
      const socket = this.#socketOf(ws);
      const expired = core.expired(socket.identity);
      if (expired) socket.close(expired);
      else await this.#arm(socket.identity.expires);
    }
  }

  /** The user's agent may have begun to run something: who follows it hears of it. */
  async stirred() {
    await core.open(this.env);
    for (const ws of this.ctx.getWebSockets()) this.#socketOf(ws).stir();
  }

  /**
   * What the container is doing.
   * @param {Phase} phase
   */
  async phase(phase) {
    for (const ws of this.ctx.getWebSockets()) ws.send(JSON.stringify({ type: "status", phase }));
  }

  /**
   * @param {WebSocket} ws
   * @param {Attached} [attached]
   */
  #socketOf(ws, attached) {
    let socket = this.sockets.get(ws);
    if (!socket) {
      socket = new Socket(ws, this.env, (question) => this.take(question), attached ?? ws.deserializeAttachment());
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
