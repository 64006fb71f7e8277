/**
 * A stream that lasts for as long as a tab is open, over a container that sleeps. The
 * agent is asked until nothing runs. Then the stream pauses here, in the Worker, which
 * costs nothing but a keep-alive comment now and then, until the user's object says that
 * something may run again. It continues after its last id, and so misses nothing.
 */
import { container } from "../objects/agents.mjs";
import { forward } from "./forward.mjs";
import { isStream } from "../limits/open.mjs";
import { sleep } from "./wait.mjs";

/** Where the user's object accepts a paused stream. */
export const watchPath = "/watch";

/** How often a paused stream sends a keep-alive comment; as often as the agent does. */
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
 * Whether a request is for a stream that may pause here.
 * @param {Forward} decision
 * @param {Request} request
 * @param {Env} env
 */
export function isPausable(decision, request, env) {
  if (!decision.pausable || request.method !== "GET" || decision.agent !== container || !env.USER) return false;
  return !new URL(request.url).searchParams.has("until");
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
export async function pausable(decision, request, env, refuse, renew, place) {
  // Before the first question, so that nothing is missed between its end and the pause.
  const wakeups = await Wakeups.of(env, decision.user);
  if (!wakeups) return refuse("streams");
  const first = await forward(untilIdle(decision, ""), request, env, refuse, place);
  if (first.status !== 200 || !first.body || !isStream(first)) {
    wakeups.close();
    return first;
  }
  const { readable, writable } = new TransformStream();
  const stream = new ListStream(writable.getWriter(), wakeups);
  /** @param {string} cursor */
  const ask = async (cursor) => {
    const now = await renew();
    if (now.kind !== "forward") return undefined; // the credential has run out
    return forward(untilIdle(now, cursor), withoutLastEventId(request, cursor), env, refuse);
  };
  void stream.run(first.body, ask);
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
function withoutLastEventId(request, cursor) {
  const headers = new Headers(request.headers);
  if (cursor) headers.delete("last-event-id");
  return new Request(request.url, { headers });
}

/** The signals of the user's object that something may run. */
export class Wakeups {
  /** @param {WebSocket} ws */
  constructor(ws) {
    this.ws = ws;
    this.pending = false;
    this.closed = false;
    this.notify = () => {};
    ws.addEventListener("message", () => {
      this.pending = true;
      this.notify();
    });
    const gone = () => {
      this.closed = true;
      this.notify();
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
    return new Wakeups(answer.webSocket);
  }

  /**
   * Waits for the next signal, at most so long.
   * @param {number} ms
   */
  async next(ms) {
    if (this.pending || this.closed) return;
    await new Promise((done) => {
      const timer = setTimeout(done, ms, undefined);
      this.notify = () => {
        clearTimeout(timer);
        done(undefined);
      };
    });
    this.notify = () => {};
  }

  close() {
    this.closed = true;
    this.notify();
    try {
      this.ws.close(1000, "the stream has ended");
    } catch {
      // It closed meanwhile.
    }
  }
}

/** One client's stream, over as many of the agent's as it takes. */
export class ListStream {
  /**
   * @param {WritableStreamDefaultWriter<Uint8Array>} out
   * @param {Pick<Wakeups, "pending" | "closed" | "next" | "close">} wakeups
   */
  constructor(out, wakeups) {
    this.out = out;
    this.wakeups = wakeups;
    this.cursor = "";
    this.encoder = new TextEncoder();
    out.closed.catch(() => {}).finally(() => wakeups.close()); // the client has gone
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
        if (idle) await this.#pause();
        if (this.wakeups.closed) break;
        this.wakeups.pending = false; // before the question: what comes from here on may not be in its answer
        const answer = await ask(this.cursor);
        if (!answer || (answer.status < 500 && answer.status !== 200 && answer.status !== 429)) break;
        body = answer.status === 200 ? answer.body : (await answer.body?.cancel(), null);
      }
      await this.out.close();
    } catch {
      // The client has gone, so nobody is left to tell.
    } finally {
      this.wakeups.close();
    }
  }

  /** Waits until something may run. */
  async #pause() {
    while (!this.wakeups.pending && !this.wakeups.closed) {
      await this.wakeups.next(aliveMs);
      if (!this.wakeups.pending && !this.wakeups.closed) await this.#write(": \n\n");
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
      if (this.wakeups.closed) throw cause;
    }
    return false;
  }

  /** @param {string} text */
  async #write(text) {
    await this.out.write(this.encoder.encode(text));
  }
}
