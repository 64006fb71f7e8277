/**
 * The egress proxy's part to servers of tools: knows the address of each, adds its secrets,
 * which the container never sees, and leads to nothing else.
 */
import { answerFault } from "../edge/fault.mjs";
import { idOf } from "./keys.mjs";
import { bounded, capped } from "./bytes.mjs";
import { holdsToken, identityOf, privateHosts, serverAddress, together } from "../mcp/entry.mjs";
import { instanceOf, resolve, told } from "../mcp/instance.mjs";
import { masked, masking, secretsOf } from "../mcp/mask.mjs";
import { send, Unreached } from "../mcp/reach.mjs";
import { vaultName } from "../objects/names.mjs";
import { durationMs } from "../container/environment.mjs";

/** Stands on what a server answered, and not on what the proxy says itself: what came of its credentials. */
export const answeredHeader = "X-LoongClaw-Server";
/** Says which server the container means by a name: its identity. */
export const identityHeader = "X-LoongClaw-Server-Id";

const maxRequest = 4 << 20;
/** A little above what the agent reads of a server for one request, so that it is the one to say so. */
const maxAnswer = (16 << 20) + (64 << 10);
/** How long a stream that waits for what the server has to say may last; definitions are read again before a call anyway. */
const streamMs = 15 * 60_000;
/** What a call has beyond the time of the agent's own. */
const marginMs = 5_000;
/** How long a call may take, unless MCP_TIMEOUT says otherwise; a connection may take as long as the last. */
const callMs = 30_000;
const connectMs = 10_000;

/** What of the agent's request a server may see, and of a server's answer the agent. */
const passed = /^(accept|content-type|last-event-id|mcp-[a-z0-9-]+)$/;
const returned = /^(content-type|retry-after|allow|www-authenticate|mcp-[a-z0-9-]+)$/;

/**
 * What the objects of users and the vault answer of authorizations.
 * @typedef {object} Grants
 * @property {(name: string, of: string) => Promise<import("../mcp/secrets.mjs").Token>} serverToken
 * @property {(name: string, of: string, refused: string) => Promise<import("../mcp/secrets.mjs").Token>} anotherServerToken
 * @property {(name: string, of: string, status: number, header: string) => Promise<void>} serverRefused
 */
/** @typedef {{name: string, url: URL, headers: Record<string, string>, of: string, grants: Grants | undefined}} Server grants: none where the headers hold a token */

/**
 * @param {Request} request GET /servers, or what the protocol has to /servers/config/NAME or /servers/u/SEGMENT/NAME
 * @param {Env} env
 * @param {string} part the user's segment
 * @param {boolean} shared whether the container may have the tokens of several users
 * @returns {Promise<Response>}
 */
export async function mcp(request, env, part, shared) {
  const { pathname, search } = new URL(request.url);
  if (pathname === "/servers" && request.method === "GET") return Response.json(await told(env));
  const [, scope, own, name] = /^\/servers\/(config|u\/([a-z0-9_-]+))\/([a-z0-9_-]{1,32})$/.exec(pathname) ?? [];
  if (!scope || search !== "") return refuse(404, "not_found", "the egress proxy does not lead there");
  if (scope !== "config" && own !== part) return refuse(403, "forbidden", "that is another's server");
  if (scope !== "config" && shared) return refuse(403, "forbidden", `${together.error}; ${together.hint}`);
  if (!["GET", "POST", "DELETE"].includes(request.method)) return refuse(405, "method_not_allowed", "servers of tools are asked with GET, POST and DELETE");
  const server = scope === "config" ? await ofInstance(name, env) : await ofUser(name, env, part);
  if (server instanceof Response) return server;
  if (request.headers.get(identityHeader) !== server.of) {
    return refuse(409, "conflict", `another address is set up for it now; ${scope === "config" ? "the agent learns it at its next start" : `set it up again with PUT /api/mcp/${name}`}`);
  }
  const body = request.method === "POST" ? await bounded(request.body, maxRequest) : undefined;
  if (body === null) return refuse(413, "too_large", "a request to a server of tools has at most 4 MiB");
  try {
    return await ask(server, request, body, env);
  } catch (cause) {
    if (cause instanceof Unreached) return refuse(502, "unavailable", cause.message);
    if (cause instanceof DOMException && cause.name === "TimeoutError") return refuse(504, "unavailable", "it did not answer in time");
    // The cause could hold the address with what stands in it.
    return refuse(502, "unavailable", "it cannot be reached, or its certificate does not hold");
  }
}

/**
 * @param {string} name
 * @param {Env} env
 * @returns {Promise<Server | Response>}
 */
async function ofInstance(name, env) {
  const entry = (await instanceOf(env)).servers.get(name);
  if (!entry) return refuse(404, "not_found", "the instance has no server of this name now");
  const full = resolve(name, entry, env);
  if ("fault" in full) return refuse(entry.command === undefined ? 409 : 403, entry.command === undefined ? "conflict" : "forbidden", full.fault);
  const grants = holdsToken(full.headers) ? undefined : /** @type {Grants | undefined} */ (/** @type {unknown} */ (env.VAULT?.getByName(vaultName)));
  return { name, url: full.url, headers: full.headers, of: await identityOf({ url: entry.url }), grants };
}

/**
 * @param {string} name
 * @param {Env} env
 * @param {string} part
 * @returns {Promise<Server | Response>}
 */
async function ofUser(name, env, part) {
  const user = idOf(part);
  if (!env.USER || user === undefined) return refuse(404, "not_found", "there is no such user");
  const object = env.USER.getByName(user);
  const declared = await object.server(name);
  if (!declared) return refuse(404, "not_found", `it was not set up here; set it up with PUT /api/mcp/${name}`);
  const url = serverAddress(declared.url, privateHosts(env));
  if (!(url instanceof URL)) return refuse(403, "forbidden", `${url.fault}; ${url.hint}`);
  const grants = holdsToken(declared.headers) ? undefined : /** @type {Grants} */ (/** @type {unknown} */ (object));
  return { name, url, headers: declared.headers, of: await identityOf({ url: declared.url }), grants };
}

/**
 * Asks a server, and once more with a renewed token.
 * @param {Server} server
 * @param {Request} request
 * @param {Uint8Array<ArrayBuffer> | undefined} body
 * @param {Env} env
 * @returns {Promise<Response>}
 */
async function ask(server, request, body, env) {
  const { name, of, grants } = server;
  const listens = request.method === "GET" || request.headers.get("mcp-method") === "subscriptions/listen";
  const limit = listens ? streamMs : Math.max(durationMs(env.MCP_TIMEOUT, callMs), connectMs) + marginMs;
  const signal = AbortSignal.any([request.signal, AbortSignal.timeout(limit)]);
  const once = (/** @type {string} */ token) => sendTo(server, request, body, token, privateHosts(env), signal);
  const first = await grants?.serverToken(name, of);
  if (first?.fault) return lacking(first);
  let token = first?.token ?? "";
  let got = await once(token);
  if (got.answer.status === 401 && got.home && token && grants) {
    const next = await grants.anotherServerToken(name, of, token);
    if (next.fault || (next.token && next.token !== token)) await got.answer.body?.cancel();
    if (next.fault) return lacking(next);
    if (next.token && next.token !== token) {
      token = next.token;
      got = await once(token);
    }
  }
  return relayed(got.answer, await judged(server, got, token), secretsOf(credentials(server, token)));
}

/**
 * @param {Server} server
 * @param {Request} request
 * @param {Uint8Array<ArrayBuffer> | undefined} body
 * @param {string} token
 * @param {Set<string>} privates
 * @param {AbortSignal} signal
 */
function sendTo(server, request, body, token, privates, signal) {
  const headers = new Headers({ "user-agent": "LoongClaw (mcp)" });
  for (const [name, value] of request.headers) if (passed.test(name)) headers.set(name, value);
  return send(server.url, { method: request.method, headers, body, signal }, credentials(server, token), privates);
}

/**
 * What a server is shown: for its own host alone.
 * @param {Server} server
 * @param {string} token
 * @returns {[string, string][]}
 */
function credentials({ headers }, token) {
  return [...Object.entries(headers), ...(token ? /** @type {[string, string][]} */ ([["Authorization", `Bearer ${token}`]]) : [])];
}

/**
 * What an answer means that refuses who asks; as agent/tools/mcp judges it natively.
 * @param {Server} server
 * @param {{answer: Response, home: boolean}} got
 * @param {string} token
 * @returns {Promise<"answered" | "refused" | "wanted" | "ended" | "less">}
 */
async function judged({ name, of, grants }, { answer, home }, token) {
  const { status } = answer;
  if (status !== 401 && status !== 403) return "answered";
  if (!home || !grants || (status === 403 && !token)) return "refused";
  await grants.serverRefused(name, of, status, answer.headers.get("www-authenticate") ?? "");
  if (!token) return "wanted";
  return status === 401 ? "ended" : "less";
}

/**
 * @param {Response} answer
 * @param {string} judgement
 * @param {string[]} secrets
 */
async function relayed(answer, judgement, secrets) {
  const length = Number(answer.headers.get("content-length") ?? 0);
  if (length > maxAnswer) {
    await answer.body?.cancel();
    return refuse(502, "unavailable", "it sent more than 16 MiB for one request");
  }
  const headers = new Headers({ [answeredHeader]: judgement });
  for (const [name, value] of answer.headers) if (returned.test(name)) headers.set(name, masked(value, secrets));
  const empty = answer.status === 204 || answer.status === 205 || answer.status === 304;
  return new Response(empty ? null : answer.body?.pipeThrough(capped(maxAnswer)).pipeThrough(masking(secrets)), { status: answer.status, headers });
}

/** @param {import("../mcp/secrets.mjs").Token} token */
function lacking({ fault, authorize }) {
  return refuse(authorize ? 401 : 502, "unavailable", fault ?? "", authorize);
}

/**
 * What this part of the egress proxy says itself, for the agent.
 * @param {number} status
 * @param {string} code
 * @param {string} error
 * @param {boolean} [authorize] whether a person could mend it by an authorization
 */
function refuse(status, code, error, authorize) {
  return answerFault({ status, code, error, headers: authorize ? { "X-LoongClaw-Authorize": "1" } : undefined });
}
