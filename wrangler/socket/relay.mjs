/**
 * Sends one session's events to one socket, for as long as something runs in the
 * session. The agent ends the stream when nothing does, and the next wake continues
 * after the last cursor. So a socket that waits keeps neither object nor container
 * awake, and misses nothing.
 */
import { readEvents } from "./sse.mjs";
import { sleep } from "../edge/wait.mjs";

/** A broken relay tries again after the first time, then ever later up to the last. */
const firstMs = 100;
const lastMs = 2_000;
/** How often in a row it fails before it waits for the next wake. */
const maxFailures = 60;

/** The comment with which the agent says that nothing runs. */
const idle = "idle";

/**
 * @typedef {object} Callbacks
 * @property {(session: string, cursor: string, signal: AbortSignal) => Promise<{answer: Response, failed?: string}>} open
 * @property {(relay: Relay, data: string) => void} deliver
 * @property {(relay: Relay) => void} placed it stands where it did not before
 * @property {(relay: Relay, status: number, body: string) => void} refused it will not try again
 * @property {(relay: Relay, kind: string) => void} failed
 */

export class Relay {
  /**
   * @param {string} session
   * @param {string} cursor
   * @param {Callbacks} callbacks
   * @param {string} [tail] how many of the last turns it begins with, where there is no cursor
   */
  constructor(session, cursor, callbacks, tail) {
    this.session = session;
    this.cursor = cursor;
    this.callbacks = callbacks;
    this.tail = tail;
    this.running = false;
    this.again = false;
    this.end = new AbortController();
  }

  /** Something may run in the session. */
  wake() {
    this.again = true;
    if (!this.running && !this.end.signal.aborted) void this.#run();
  }

  stop() {
    this.end.abort();
  }

  async #run() {
    this.running = true;
    let failures = 0;
    while (this.again && !this.end.signal.aborted) {
      this.again = false;
      const before = this.cursor;
      const end = await this.#stream();
      if (end !== "broken") continue;
      if (this.cursor !== before) failures = 0;
      if (++failures > maxFailures) {
        this.callbacks.failed(this, "broken");
        break;
      }
      this.again = true;
      await sleep(Math.min(firstMs * 2 ** (failures - 1), lastMs));
    }
    this.running = false;
  }

  /** @returns {Promise<"idle" | "refused" | "broken">} */
  async #stream() {
    try {
      const { answer, failed } = await this.callbacks.open(this.session, this.cursor, this.end.signal);
      if (failed || answer.status >= 500 || answer.status === 429) return await brokenUnlessDamaged(this, answer);
      if (answer.status !== 200 || !answer.body) {
        this.callbacks.refused(this, answer.status, await answer.text());
        return "refused";
      }
      for await (const { id, data, comment } of readEvents(answer.body)) {
        if (this.end.signal.aborted) return "idle";
        if (comment === idle) return "idle";
        if (id) this.cursor = id;
        if (data !== undefined) this.callbacks.deliver(this, data);
        else if (id) this.callbacks.placed(this);
      }
      return "broken";
    } catch (cause) {
      if (!(cause instanceof RangeError)) return "broken";
      this.callbacks.failed(this, "too_large");
      return "refused";
    }
  }
}

/**
 * A restart or a full agent passes; a session that is damaged stays so.
 * @param {Relay} relay
 * @param {Response} answer
 * @returns {Promise<"refused" | "broken">}
 */
async function brokenUnlessDamaged(relay, answer) {
  const body = await answer.text();
  if (!body.includes('"code":"session_damaged"')) return "broken";
  relay.callbacks.refused(relay, answer.status, body);
  return "refused";
}
