/**
 * What is outside for a container: three doors, and nothing else. They open only
 * for tokens of that start, and the store's only to what is the token's user's.
 */
import { WorkerEntrypoint } from "cloudflare:workers";
import { llm } from "./llm.mjs";
import { r2 } from "./r2.mjs";
import { isSearch, search } from "./search.mjs";
import { doorHeader, partOf } from "./tokens.mjs";
import { web } from "./web.mjs";
import { answerFault } from "../edge/fault.mjs";
import { passed } from "../metrics/metrics.mjs";

/** What the object that starts the container says of it. @typedef {{key: string}} Props the tokens are made of this */

/** @extends {WorkerEntrypoint<Env, Props>} */
export class Egress extends WorkerEntrypoint {
  /** @param {Request} request */
  async fetch(request) {
    const part = await partOf(this.ctx.props.key, request.headers.get(doorHeader) ?? "");
    if (!part) return answerFault({ status: 403, code: "forbidden", error: "the egress proxy does not know the token" });
    const answer = await this.#open(request, part);
    passed(this.env, request, answer);
    return answer;
  }

  /**
   * @param {Request} request
   * @param {string} part the user's segment
   */
  async #open(request, part) {
    switch (new URL(request.url).hostname) {
      case "r2.internal":
        return r2(request, this.env.STORE, part);
      case "llm.internal":
        return llm(request, this.env);
      case "web.internal":
        return isSearch(new URL(request.url)) ? search(request, this.env) : web(request);
    }
    return answerFault({ status: 404, code: "not_found", error: "the egress proxy does not lead there" });
  }
}
