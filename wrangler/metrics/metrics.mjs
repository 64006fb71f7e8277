/**
 * What the Worker counts: one data point for each request in Analytics Engine, under
 * the names that the native gateway's metrics have, and a tally for the deployment's
 * watch. No user, address, path or header is in either: a route is a template.
 */
import { watchOf } from "./check.mjs";
import { emptyTally, merge, slot } from "./tally.mjs";

/** What the host notes of a request while it carries it out. @typedef {{route: string, stream: boolean}} Note */

/** How long a tally is gathered in an isolate before it goes to the watch. */
const gatherMs = 20_000;

const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
/** Asked by machines all the time: no use of a person's. */
const probes = ["/health", "/ready"];

export class Metrics {
  constructor(now = Date.now) {
    this.now = now;
    this.tally = emptyTally();
    this.since = 0;
  }

  /**
   * Has a request answered, and counts it.
   * @param {Request} request
   * @param {Env} env
   * @param {{waitUntil(done: Promise<unknown>): void}} ctx
   * @param {(note: Note) => Promise<Response>} answer
   */
  async request(request, env, ctx, answer) {
    const began = this.now();
    /** @type {Note} */
    const note = { route: "", stream: false };
    const response = await answer(note);
    this.#count(request.method, response.status, note, (this.now() - began) / 1000, env, ctx);
    return response;
  }

  /**
   * @param {string} method
   * @param {number} status
   * @param {Note} note
   * @param {number} seconds until the head of the answer
   * @param {Env} env
   * @param {{waitUntil(done: Promise<unknown>): void}} ctx
   */
  #count(method, status, note, seconds, env, ctx) {
    const kind = note.stream ? "stream" : "plain";
    const known = methods.includes(method) ? method : "other";
    point(env, "loongclaw_gateway_requests_total", [note.route || "none", known, String(status), kind], [1, seconds]);
    if (!note.route || probes.includes(note.route)) return;
    const api = kind === "plain" && note.route.startsWith("/api/");
    merge(this.tally, slot(status, api ? seconds : undefined));
    this.since ||= this.now();
    if (this.now() - this.since < gatherMs || !env.WATCH) return;
    const { tally } = this;
    this.tally = emptyTally();
    this.since = 0;
    // What cannot be brought is counted again with the next: a tally is no truth.
    ctx.waitUntil(watchOf(env.WATCH).add(tally).catch(() => void merge(this.tally, tally)));
  }
}

/**
 * A container was woken.
 * @param {Env} env
 */
export function woke(env) {
  point(env, "loongclaw_agent_wakes_total", [], [1]);
}

/**
 * The egress proxy answered: an operation of the store, or a question to a model.
 * @param {Env} env
 * @param {Request} request
 * @param {Response} response
 */
export function passed(env, request, response) {
  const url = new URL(request.url);
  const result = String(response.status);
  if (url.hostname === "r2.internal") point(env, "loongclaw_agent_store_operations_total", [operation(request, url), result], [1]);
  if (url.hostname === "llm.internal") point(env, "loongclaw_agent_model_requests_total", [response.status === 404 ? "none" : (url.pathname.split("/")[1] ?? ""), result], [1]);
}

/**
 * @param {Request} request
 * @param {URL} url
 */
function operation(request, url) {
  if (request.method === "PUT") return request.headers.has("if-none-match") ? "create" : request.headers.has("if-match") ? "replace" : "put";
  if (request.method === "DELETE") return "delete";
  return url.searchParams.has("list-type") ? "list" : "get";
}

/**
 * The first blob is the metric's name, so that one data set holds all.
 * @param {Env} env
 * @param {string} name
 * @param {string[]} labels
 * @param {number[]} values
 */
function point(env, name, labels, values) {
  env.SEEN?.writeDataPoint({ indexes: [name], blobs: [name, ...labels], doubles: values });
}
