/**
 * The egress proxy: all that a container can reach. It has four parts, to the store, to
 * the models, to the web and to servers of tools, and accepts only tokens of that start. The store's part
 * shows what belongs to the token's user.
 */
import { WorkerEntrypoint } from "cloudflare:workers";
import { llm } from "./llm.mjs";
import { mcp } from "./mcp.mjs";
import { pin, pinned } from "./pins.mjs";
import { r2 } from "./r2.mjs";
import { isSearch, search } from "./search.mjs";
import { egressHeader, partOf } from "./tokens.mjs";
import { web } from "./web.mjs";
import { answerFault } from "../edge/fault.mjs";
import { passed } from "../metrics/metrics.mjs";

/** What the object that starts the container says of it. @typedef {{key: string, shared: boolean}} Props key: the tokens are made of this; shared: the container may have those of several users */

/** @extends {WorkerEntrypoint<Env, Props>} */
export class Egress extends WorkerEntrypoint {
  /** @param {Request} request */
  async fetch(request) {
    const part = await partOf(this.ctx.props.key, request.headers.get(egressHeader) ?? "");
    if (!part) return answerFault({ status: 403, code: "forbidden", error: "the egress proxy does not know the token" });
    const answer = await this.#proxy(request, part);
    passed(this.env, request, answer);
    return answer;
  }

  /**
   * @param {Request} request
   * @param {string} part the user's segment
   */
  async #proxy(request, part) {
    switch (new URL(request.url).hostname) {
      case "r2.internal": {
        const server = pinned(request);
        return server === undefined ? r2(request, this.env.STORE, part) : pin(request, server, this.env);
      }
      case "llm.internal":
        return llm(request, this.env);
      case "web.internal":
        return isSearch(new URL(request.url)) ? search(request, this.env) : web(request);
      case "mcp.internal":
        return mcp(request, this.env, part, this.ctx.props.shared);
    }
    return answerFault({ status: 404, code: "not_found", error: "the egress proxy does not lead there" });
  }
}
