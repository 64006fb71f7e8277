/**
 * A stream that lasts for as long as a tab is open, over a container that sleeps. The
 * agent is asked until nothing runs; then the stream rests here, in the Worker, which
 * costs nothing but a sign of life now and then, and hears from the user's object when
 * something may run again. It goes on after its last id and so misses nothing.
 */
import { container } from "../objects/agents.mjs";
import { forward } from "./forward.mjs";
import { isStream } from "../limits/open.mjs";
import { sleep } from "./wait.mjs";

/** Where the user's object takes a stream that rests. */
export const watchPath = "/watch";

/** How often a stream that rests says that it is there; as the agent's do. */
const aliveMs = 15_000;
/** A stream that broke is asked for anew after the first time, then ever later up to the last. */
const firstMs = 100;
const lastMs = 2_000;
/** How often in a row that fails before the client is left to come again. */
const maxFailures = 8;
/** How often one stream asks: a Worker's request may make so many of its own. Then its client comes again. */
const maxAsks = 200;
/** As long as an event may be; as in sse.mjs. */
const maxBlock = 8 << 20;

/** @typedef {import("./message.mjs").Forward} Forward */

/**
 * Whether a request is for a stream that may rest here.
 * @param {Forward} decision
 * @param {Request} request
 * @param {Env} env
 */
export function rests(decision, request, env) {
  const asked = new URL(request.url).searchParams;
  return decision.rests && request.method === "GET" && decision.agent === container && Boolean(env.USER) && !asked.has("until");
}

/**
 * @param {Forward} decision
 * @param {Request} request
 * @param {Env} env
 * @param {(kind: string) => Response} refuse
 * @param {() => Promise<import("./message.mjs").Decision>} renew
 * @param {import("../objects/agents.mjs").Place} [place]
 * @returns {Promise<Response>}
 */
export async function rest(decision, request, env, refuse, renew, place) {
  // Before the first question: what happens between its end and the rest is heard.
  const stirs = await Stirs.of(env, decision.user);
  if (!stirs) return refuse("streams");
  const first = await forward(untilIdle(decision, ""), request, env, refuse, place);
  if (first.status !== 200 || !first.body || !isStream(first)) {
    stirs.close();
    return first;
  }
  const { readable, writable } = new TransformStream();
  const line = new Line(writable.getWriter(), stirs);
  /** @param {string} cursor */
  const ask = async (cursor) => {
    const now = await renew();
    if (now.kind !== "forward") return undefined; // the credential has run out
    return forward(untilIdle(now, cursor), withoutPlace(request, cursor), env, refuse);
  };
  void line.run(first.body, ask);
  return new Response(readable, first);
}

/**
 * The same question, ended when nothing runs and begun after a cursor.
 * @param {Forward} decision
 * @param {string} cursor
 * @returns {Forward}
 */
function untilIdle(decision, cursor) {
  const [path, query] = decision.target.split("?", 2);
  const asked = new URLSearchParams(query);
  asked.set("until", "idle");
  if (cursor) asked.set("after", cursor);
  return { ...decision, target: `${path}?${asked}` };
}

/**
 * The client's own Last-Event-ID would win over the cursor.
 * @param {Request} request
 * @param {string} cursor
 */
function withoutPlace(request, cursor) {
  const headers = new Headers(request.headers);
  if (cursor) headers.delete("last-event-id");
  return new Request(request.url, { headers });
}

/** What the user's object says: something may run. */
export class Stirs {
  /** @param {WebSocket} ws */
  constructor(ws) {
    this.ws = ws;
    this.heard = false;
    this.closed = false;
    this.wake = () => {};
    ws.addEventListener("message", () => {
      this.heard = true;
      this.wake();
    });
    const gone = () => {
      this.closed = true;
      this.wake();
    };
    ws.addEventListener("close", gone);
    ws.addEventListener("error", gone);
  }

  /**
   * @param {Env} env
   * @param {string} user
   */
  static async of(env, user) {
    const answer = await env.USER?.getByName(user).fetch(`http://user.internal${watchPath}`, { headers: { Upgrade: "websocket" } });
    if (!answer?.webSocket) return undefined;
    answer.webSocket.accept();
    return new Stirs(answer.webSocket);
  }

  /**
   * Waits for the next one, at most so long.
   * @param {number} ms
   */
  async next(ms) {
    if (this.heard || this.closed) return;
    await new Promise((done) => {
      const timer = setTimeout(done, ms, undefined);
      this.wake = () => {
        clearTimeout(timer);
        done(undefined);
      };
    });
    this.wake = () => {};
  }

  close() {
    this.closed = true;
    this.wake();
    try {
      this.ws.close(1000, "the stream has ended");
    } catch {
      // It closed meanwhile.
    }
  }
}

/** One client's stream, over as many of the agent's as it takes. */
export class Line {
  /**
   * @param {WritableStreamDefaultWriter<Uint8Array>} out
   * @param {Pick<Stirs, "heard" | "closed" | "next" | "close">} stirs
   */
  constructor(out, stirs) {
    this.out = out;
    this.stirs = stirs;
    this.cursor = "";
    this.encoder = new TextEncoder();
    out.closed.catch(() => {}).finally(() => stirs.close()); // the client has gone
  }

  /**
   * @param {ReadableStream<Uint8Array>} first
   * @param {(cursor: string) => Promise<Response | undefined>} ask gives nothing when there is no more asking
   */
  async run(first, ask) {
    try {
      /** @type {ReadableStream<Uint8Array> | null | undefined} */
      let body = first;
      let failures = 0;
      for (let asks = 0; asks < maxAsks; asks++) {
        const before = this.cursor;
        const idle = body ? await this.#pass(body) : false;
        if (idle || this.cursor !== before) failures = 0;
        if (!idle && ++failures > maxFailures) break;
        if (!idle) await sleep(Math.min(firstMs * 2 ** (failures - 1), lastMs));
        if (idle) await this.#rest();
        if (this.stirs.closed) break;
        this.stirs.heard = false; // before the question: what comes from here on may not be in its answer
        const answer = await ask(this.cursor);
        if (!answer || (answer.status < 500 && answer.status !== 200 && answer.status !== 429)) break;
        body = answer.status === 200 ? answer.body : (await answer.body?.cancel(), null);
      }
      await this.out.close();
    } catch {
      // The client has gone, and with it whoever could be told.
    } finally {
      this.stirs.close();
    }
  }

  /** Waits until something may run. */
  async #rest() {
    while (!this.stirs.heard && !this.stirs.closed) {
      await this.stirs.next(aliveMs);
      if (!this.stirs.heard && !this.stirs.closed) await this.#write(": \n\n");
    }
  }

  /**
   * Passes whole events on: what a broken stream leaves of one is dropped.
   * @param {ReadableStream<Uint8Array>} body
   * @returns {Promise<boolean>} whether it ended because nothing runs
   */
  async #pass(body) {
    const decoder = new TextDecoder();
    let rest = "";
    try {
      for await (const chunk of body) {
        rest += decoder.decode(chunk, { stream: true });
        const end = rest.lastIndexOf("\n\n");
        if (end < 0 && rest.length > maxBlock) return false;
        if (end < 0) continue;
        const whole = rest.slice(0, end + 2);
        rest = rest.slice(end + 2);
        const idle = /^: idle$/m.test(whole);
        await this.#write(idle ? whole.replace(/^: idle$/m, ":") : whole);
        this.cursor = [...whole.matchAll(/^id: (.*)$/gm)].at(-1)?.[1] ?? this.cursor;
        if (idle) return true;
      }
    } catch (cause) {
      if (this.stirs.closed) throw cause;
    }
    return false;
  }

  /** @param {string} text */
  async #write(text) {
    await this.out.write(this.encoder.encode(text));
  }
}
