/**
 * What is outside for a container: three doors, and nothing else. Each is bound
 * to the container's user, and opens only for the token of that start.
 */
import { WorkerEntrypoint } from "cloudflare:workers";
import { llm } from "./doors/llm.mjs";
import { r2 } from "./doors/r2.mjs";
import { web } from "./doors/web.mjs";
import { passed } from "./seen.mjs";

/** What the object that starts the container says of it. @typedef {{user: string, tokenHash: string}} Props */

/** @extends {WorkerEntrypoint<Env, Props>} */
export class Egress extends WorkerEntrypoint {
  /** @param {Request} request */
  async fetch(request) {
    const { user, tokenHash } = this.ctx.props;
    if (!(await knows(request.headers.get("X-LoongClaw-Door") ?? "", tokenHash))) {
      return Response.json({ error: "this door does not know the token", code: "forbidden" }, { status: 403 });
    }
    const answer = await this.#open(request, user);
    passed(this.env, request, answer);
    return answer;
  }

  /**
   * @param {Request} request
   * @param {string} user
   */
  async #open(request, user) {
    switch (new URL(request.url).hostname) {
      case "r2.internal":
        return r2(request, this.env.STORE, user);
      case "llm.internal":
        return llm(request, this.env);
      case "web.internal":
        return web(request);
    }
    return Response.json({ error: "there is no such door", code: "not_found" }, { status: 404 });
  }
}

/**
 * Only the hash is kept, and hashes are compared: how long that takes tells
 * nothing of the token.
 * @param {string} token
 * @param {string} tokenHash SHA-256 in hex
 */
async function knows(token, tokenHash) {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(token));
  const hex = Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join("");
  return tokenHash.length === 64 && hex === tokenHash;
}
