/** Carries a decision of the core out. */
import { forward } from "./forward.mjs";
import { withHeader } from "./header.mjs";
import { isPausable, pausable } from "./list-stream.mjs";
import { isServers, servers } from "./servers.mjs";

/** @typedef {import("./message.mjs").Decision} Decision */
/** @typedef {(kind: string) => Decision} Fail puts a failure into words (gateway/host/workers/failure.go) */

/**
 * @param {Decision} decision
 * @param {Request} request
 * @param {Env} env
 * @param {Fail} fail
 * @param {() => Promise<Decision>} renew decides anew
 * @param {import("../objects/agents.mjs").Place} [place] of the user's container, where it is known
 * @returns {Promise<Response>}
 */
export async function carry(decision, request, env, fail, renew, place) {
  switch (decision.kind) {
    case "respond":
      return respond(decision, request);
    case "asset":
      return asset(decision, request, env, fail);
    case "forward": {
      const refused = (/** @type {string} */ kind) => refuse(fail(kind), decision, request);
      if (isServers(decision)) return servers(decision, request, env, refused, (changed, so) => forward(so, changed, env, refused, place));
      if (isPausable(decision, request, env)) return pausable(decision, request, env, refused, renew, place);
      return forward(decision, request, env, refused, place);
    }
    case "socket":
      return socket(decision, request, env, fail);
    default:
      throw new Error(`${decision.kind} cannot be carried out`);
  }
}

/**
 * Hands a socket to its user's object, which holds it from here on.
 * @param {import("./message.mjs").Socket} decision
 * @param {Request} request
 * @param {Env} env
 * @param {Fail} fail
 */
async function socket(decision, request, env, fail) {
  if (!env.USER) return refuse(fail("binding"), decision, request);
  if (request.headers.get("sec-websocket-version") !== "13" || !request.headers.get("sec-websocket-key")) {
    return refuse(fail("handshake"), { ...decision, header: [...decision.header, ["Sec-WebSocket-Version", "13"]] }, request);
  }
  const { user } = /** @type {import("./message.mjs").Identity} */ (JSON.parse(decision.identity));
  const answer = await env.USER.getByName(user).fetch("http://user.internal/socket", {
    headers: { Upgrade: "websocket", "X-LoongClaw-Identity": encodeURIComponent(decision.identity) },
  });
  // Without a socket its answer is a refusal: a 101 would be a promise.
  if (!answer.webSocket) return refuse(fail(answer.status === 429 ? "sockets" : "object"), decision, request);
  const headers = new Headers({ "X-Request-Id": decision.requestId });
  if (decision.subprotocol) headers.set("Sec-WebSocket-Protocol", decision.subprotocol);
  return new Response(null, { status: 101, webSocket: answer.webSocket, headers });
}

/**
 * @param {import("./message.mjs").Respond} decision
 * @param {Request} request
 */
export function respond(decision, request) {
  const empty = request.method === "HEAD" || decision.status === 204 || decision.status === 304;
  const response = new Response(empty ? null : decision.body, { status: decision.status });
  return withHeader(response, decision.header);
}

/**
 * An error keeps the headers that the decision wanted on the answer (CORS,
 * security, request id), or a browser's page could not read it.
 * @param {Decision} failure
 * @param {Decision} decision
 * @param {Request} request
 */
export function refuse(failure, decision, request) {
  if (failure.kind !== "respond") throw new Error("a failure must be an answer");
  return respond({ ...failure, header: [...decision.header.filter(([name]) => !has(failure.header, name)), ...failure.header] }, request);
}

/**
 * @param {[string, string][]} header
 * @param {string} name
 */
function has(header, name) {
  return header.some(([other]) => other.toLowerCase() === name.toLowerCase());
}

/**
 * @param {import("./message.mjs").Asset} decision
 * @param {Request} request
 * @param {Env} env
 * @param {Fail} fail
 */
async function asset(decision, request, env, fail) {
  if (!env.ASSETS) return refuse(fail("binding"), decision, request);
  const url = new URL(`/${decision.name}`, request.url);
  const found = await env.ASSETS.fetch(new Request(url, { method: request.method, headers: request.headers }));
  if (found.status === 404) return refuse(fail("asset"), decision, request);
  const status = found.status === 200 && decision.status ? decision.status : found.status;
  return withHeader(new Response(found.body, { status, headers: found.headers }), decision.header);
}
