/**
 * A Worker around the Go core: asks it about each request's head, and carries
 * out what it decides.
 */
import { carry, refuse } from "./carry.mjs";
import { answer } from "./facts.mjs";
import { Instance } from "./instance.mjs";
import { decode, encodeConfigure, encodeDecide, encodeFail, encodeWarm } from "./message.mjs";

/** Far more than the core has questions about one request. */
const maxQuestions = 8;

export class Host {
  /**
   * Boots the core outside any request.
   * @param {WebAssembly.Module} module
   * @param {Uint8Array} seed
   * @param {Env} env
   */
  constructor(module, seed, env) {
    this.module = module;
    this.instance = new Instance(module, seed, [encodeWarm(), encodeConfigure(env)]);
    const [warmUp, refusal] = this.instance.rehearsed;
    if (warmUp) throw new Error(`the core's warm-up failed: ${warmUp}`);
    // A refusal may mean that the secrets are not there yet: the first request asks again.
    this.configured = refusal === "";
  }

  /**
   * @param {Request} request
   * @param {Env} env
   * @returns {Promise<Response>}
   */
  async fetch(request, env) {
    try {
      return await this.#decideAndCarry(request, env);
    } catch (cause) {
      return lastResort(cause);
    }
  }

  /**
   * @param {Request} request
   * @param {Env} env
   */
  async #decideAndCarry(request, env) {
    /** @type {import("./message.mjs").Facts} */
    const facts = { requestId: "", limits: [], spent: [] };
    for (let asked = 0; asked <= maxQuestions; asked++) {
      const decision = this.#ask(env, encodeDecide(request, facts));
      /** @param {string} kind */
      const fail = (kind) => this.#ask(env, encodeFail(kind, decision.requestId));
      facts.requestId = decision.requestId;
      const answered = await answer(decision, request, env, facts);
      if (answered === "no question") return carry(decision, request, env, fail);
      if (answered !== "answered") return refuse(fail(answered), decision, request);
    }
    throw new Error("the core asks without end");
  }

  /**
   * @param {Env} env
   * @param {string} message
   */
  #ask(env, message) {
    if (this.instance.lost) {
      // Inside a request clock and randomness are real: no seed.
      this.instance = new Instance(this.module);
      this.configured = false;
    }
    if (!this.configured) {
      this.instance.call(encodeConfigure(env));
      this.configured = true;
    }
    return decode(this.instance.call(message));
  }
}

/**
 * The answer where Go could not make one.
 * @param {unknown} cause
 */
function lastResort(cause) {
  const requestId = crypto.randomUUID().replaceAll("-", "");
  console.error(JSON.stringify({ level: "ERROR", msg: "a request failed", requestId, error: String(cause) }));
  return Response.json(
    { error: "internal error", code: "internal", hint: "try again; if it stays, look for the request id in the log", requestId },
    { status: 500, headers: { "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "X-Request-Id": requestId } },
  );
}
