/**
 * Answers of the core that are the same for everybody but for their time and the request's
 * id, such as that a gateway lives: asked by machines all the time, they need not cross into
 * Go. The core says which they are; nothing is known of them here.
 */
import { newRequestId } from "./fault.mjs";

/** What only answers for one client have; the core names none of the others. */
const own = ["origin", "x-request-id"];

const idHeader = "X-Request-Id";

/** @typedef {import("./message.mjs").Respond} Respond */

export class Kept {
  /** @param {number} most how many are kept */
  constructor(most) {
    this.most = most;
    /** @type {Map<string, Respond>} by method and address */
    this.answers = new Map();
  }

  /**
   * Keeps an answer, if it is one of those.
   * @param {Request} request
   * @param {import("./message.mjs").Decision} decision
   */
  keep({ method, url }, decision) {
    // A query is the client's to choose: there would be no end of them.
    if (decision.kind !== "respond" || !decision.stamp || this.answers.size >= this.most || url.includes("?")) return;
    this.answers.set(`${method} ${url}`, decision);
  }

  /**
   * @param {Request} request
   * @returns {Respond | undefined}
   */
  find({ method, url, headers }) {
    const kept = this.answers.get(`${method} ${url}`);
    if (!kept || own.some((name) => headers.has(name))) return undefined;
    const requestId = newRequestId();
    return {
      ...kept,
      requestId,
      header: kept.header.map(([name, value]) => [name, name === idHeader ? requestId : value]),
      body: kept.body.replace(kept.stamp, new Date().toISOString()),
    };
  }
}
