/**
 * A Worker around the Go core: asks it about each request's head, and carries
 * out what it decides.
 */
import { carry, refuse, respond } from "./carry.mjs";
import { answer, isQuestion, lender } from "./facts.mjs";
import { answerFault, answerOpenAI, newRequestId } from "./fault.mjs";
import { Kept } from "./kept.mjs";
import { isOperators, operate } from "../rollout/operator.mjs";

/** Far more than the core has questions about one request. */
const maxQuestions = 8;

export class Host {
  /** @param {import("./core.mjs").Core} core */
  constructor(core) {
    this.core = core;
    this.kept = new Kept(16);
  }

  /**
   * @param {Request} request
   * @param {Env} env
   * @param {import("../metrics/metrics.mjs").Note} note is filled in
   * @returns {Promise<Response>}
   */
  async fetch(request, env, note) {
    try {
      if (!this.core.isOpen) await this.core.open(env);
      if (env.LIMIT_FLOOD && (await floods(request, env.LIMIT_FLOOD))) return refuseEarly(this.core.fail("flood", newRequestId(), request), request);
      if (isOperators(request, env)) return await operate(request, env);
      return await this.#decideAndCarry(request, env, note);
    } catch (cause) {
      return lastResort(request, cause);
    }
  }

  /**
   * @param {Request} request
   * @param {Env} env
   * @param {import("../metrics/metrics.mjs").Note} note
   */
  async #decideAndCarry(request, env, note) {
    /** @type {import("./message.mjs").Facts} */
    const facts = { requestId: "", limits: [], spent: [] };
    const kept = this.kept.find(request);
    if (kept) {
      note.route = kept.route;
      return respond(kept, request);
    }
    const lend = lender(facts);
    for (let asked = 0; asked <= maxQuestions; asked++) {
      // Another request may have lost the instance while this one waited.
      if (!this.core.isOpen) await this.core.open(env);
      const decision = this.core.decide(request, facts, lend);
      /** @param {string} kind */
      const fail = (kind) => this.core.fail(kind, decision.requestId, request);
      facts.requestId = decision.requestId;
      this.kept.keep(request, decision);
      note.route = decision.route;
      note.stream = decision.kind === "forward" && decision.stream;
      const answered = isQuestion(decision) ? await answer(decision, request, env, facts).catch((cause) => {
        log("an object does not answer", decision.requestId, cause);
        return "object";
      }) : "no question";
      // The same once more, with a fresh pass, where a stream that rested goes on.
      const renew = async () => {
        await this.core.open(env);
        return this.core.decide(request, facts, lend);
      };
      if (answered === "no question") return carry(decision, request, env, fail, renew, facts.place);
      if (answered !== "answered") return refuse(fail(answered), decision, request);
    }
    throw new Error("the core asks without end");
  }
}

/**
 * The guard before everything: an address that asks far too much costs neither a
 * decision nor an object.
 * @param {Request} request
 * @param {RateLimit} limit
 */
async function floods(request, limit) {
  const { success } = await limit.limit({ key: request.headers.get("cf-connecting-ip") ?? "" });
  return !success;
}

/**
 * @param {import("./message.mjs").Decision} failure
 * @param {Request} request
 */
function refuseEarly(failure, request) {
  return refuse(failure, { ...failure, header: [] }, request);
}

/**
 * The answer where Go could not make one, in the form that the path's clients read
 * (pkg/fault).
 * @param {Request} request
 * @param {unknown} cause
 */
export function lastResort(request, cause) {
  const requestId = newRequestId();
  log("a request failed", requestId, cause);
  const openAI = /^\/v1(\/|$)/.test(new URL(request.url).pathname);
  const write = openAI ? answerOpenAI : answerFault;
  return write({ status: 500, code: "internal", error: "internal error", hint: "try again; if it stays, look for the request id in the log", requestId });
}

/**
 * @param {string} msg
 * @param {string} requestId
 * @param {unknown} cause
 */
function log(msg, requestId, cause) {
  console.error(JSON.stringify({ level: "ERROR", msg, requestId, error: String(cause) }));
}
