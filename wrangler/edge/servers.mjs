/**
 * Requests about servers of tools (MCP) that hold or touch a secret, before the agent in
 * its container sees them: the secret half stays here, in the object of whose it is, and
 * the agent is asked about the rest. Nothing here wakes a container that need not wake.
 */
import { answerFault } from "./fault.mjs";
import { readText } from "./body.mjs";
import { withHeader } from "./header.mjs";
import { whyNotPublic } from "../egress/web.mjs";
import { faultOfHeaders, holdsToken, privateHosts, serverAddress, serverName, together } from "../mcp/entry.mjs";
import { instanceOf, resolve } from "../mcp/instance.mjs";
import { container, shared } from "../objects/agents.mjs";
import { vaultName } from "../objects/names.mjs";

/** @typedef {import("./message.mjs").Forward} Forward */
/** @typedef {(request: Request, decision: Forward) => Promise<Response>} Next asks the agent */

const routes = ["/api/mcp/:name", "/api/mcp/:name/approve", "/api/mcp/:name/authorize", "/api/mcp/callback"];
const publicUrl = "x-loongclaw-public-url";
/** What only the owner sets, in the instance's configuration. */
const owners = ["command", "args", "env", "cwd", "allow", "oauth"];

/**
 * Whether a request is for this side. An agent elsewhere keeps its secrets itself.
 * @param {Forward} decision
 */
export function isServers({ route, agent }) {
  return routes.includes(route) && agent === container;
}

/**
 * @param {Forward} decision
 * @param {Request} request
 * @param {Env} env
 * @param {(kind: string) => Response} refuse
 * @param {Next} next
 * @returns {Promise<Response>}
 */
export async function servers(decision, request, env, refuse, next) {
  const say = (/** @type {import("./fault.mjs").Fault} */ fault) => withHeader(answerFault({ ...fault, requestId: decision.requestId }), decision.header);
  const name = decodeURIComponent(new URL(request.url).pathname.split("/")[3] ?? "");
  if (decision.route !== "/api/mcp/callback" && !serverName.test(name)) {
    return say({ status: 400, code: "invalid_request", error: "this is not the name of an MCP server", hint: "use 1 to 32 of the characters a-z, 0-9, _ and -" });
  }
  switch (`${decision.method} ${decision.route}`) {
    case "PUT /api/mcp/:name":
      return put(name, decision, request, env, refuse, say, next);
    case "DELETE /api/mcp/:name":
      return remove(name, decision, request, env, next);
    case "POST /api/mcp/:name/approve":
      return approve(name, decision, request, env, refuse, next);
    case "GET /api/mcp/:name/authorize":
      return authorize(name, decision, request, env, say);
    case "GET /api/mcp/callback":
      return comeBack(decision, request, env, say, next);
  }
  return next(request, decision);
}

/** @param {Env} env @param {string} user */
function userOf(env, user) {
  if (!env.USER) throw new Error("the binding USER is missing");
  return env.USER.getByName(user);
}

/** @param {Env} env */
function vaultOf(env) {
  if (!env.VAULT) throw new Error("the binding VAULT is missing");
  return env.VAULT.getByName(vaultName);
}

/**
 * Takes the headers off, keeps them, and gives the agent the rest. What the agent does
 * not take does not count here either.
 * @param {string} name
 * @param {Forward} decision
 * @param {Request} request
 * @param {Env} env
 * @param {(kind: string) => Response} refuse
 * @param {(fault: import("./fault.mjs").Fault) => Response} say
 * @param {Next} next
 */
async function put(name, decision, request, env, refuse, say, next) {
  const text = await readText(request, decision.maxBody);
  if (text === null) return refuse("body");
  if (text === undefined) return refuse("too_large");
  const split = splitEntry(text, privateHosts(env));
  if ("fault" in split) return say({ status: 400, code: split.code, error: split.fault, hint: split.hint });
  if (split.declared === undefined) return next(withBody(request, split.shown), decision);
  if (shared(env, decision.user)) return say({ status: 403, code: "forbidden", ...together });
  const user = userOf(env, decision.user);
  const id = await user.declareServer(name, split.declared);
  if (id === "") return say({ status: 400, code: "invalid_request", error: "there are too many servers already", hint: "remove one first" });
  let refused = false;
  try {
    const answer = await next(withBody(request, split.shown), decision);
    refused = answer.status >= 400 && answer.status < 500;
    return answer;
  } finally {
    await user.serverDeclared(name, id, !refused);
  }
}

/**
 * First what is secret is gone, whatever becomes of the rest.
 * @param {string} name
 * @param {Forward} decision
 * @param {Request} request
 * @param {Env} env
 * @param {Next} next
 */
async function remove(name, decision, request, env, next) {
  const user = userOf(env, decision.user);
  const id = await user.removeServer(name);
  try {
    return await next(request, decision);
  } finally {
    await user.serverRemoved(name, id);
  }
}

/**
 * Takes an entry apart. Only known fields reach the agent, by their values that are no
 * secret: of what it refuses it is told that it is there. Names of fields are read as
 * the agent reads them, in capitals or small letters.
 * @param {string} text
 * @param {Set<string>} privates
 * @returns {{declared?: {url: string, headers: Record<string, string>}, shown: object} | {fault: string, hint: string, code: string}}
 */
export function splitEntry(text, privates) {
  let body;
  try {
    body = JSON.parse(text);
  } catch {
    return { fault: "the body is not JSON", hint: 'send {"url":"https://host/mcp","headers":{"NAME":"VALUE"}}', code: "invalid_json" };
  }
  if (typeof body !== "object" || body === null || Array.isArray(body)) return { fault: "an MCP server is a JSON object", hint: 'send {"url":"https://host/mcp","headers":{"NAME":"VALUE"}}', code: "invalid_request" };
  /** @type {Record<string, unknown>} */
  const fields = Object.create(null); // of others' names
  for (const [key, value] of Object.entries(body)) {
    const field = key.toLowerCase();
    if (Object.hasOwn(fields, field)) return { fault: `${JSON.stringify(field.slice(0, 64))} stands there twice, in capitals and small letters`, hint: "keep one of the two", code: "invalid_request" };
    fields[field] = value;
  }
  if (owners.some((field) => Object.hasOwn(fields, field) && isSet(fields[field]))) return { shown: { command: "not shown" } }; // the agent says that it is the owner's
  const wrong = faultOfHeaders(fields.headers);
  if (wrong) return { ...wrong, code: "invalid_request" };
  const url = serverAddress(fields.url, privates);
  if (!(url instanceof URL)) return { ...url, code: "invalid_request" };
  const declared = { url: String(fields.url), headers: /** @type {Record<string, string>} */ (fields.headers ?? {}) };
  return { declared, shown: { url: declared.url } };
}

/** Whether a field says something, as the agent sees it. @param {unknown} value */
function isSet(value) {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return true;
  return Array.isArray(value) ? value.length > 0 : value !== null && value !== "";
}

/**
 * An administrator's approval counts for all: for a moment what they approve may be
 * written down by a container.
 * @param {string} name
 * @param {Forward} decision
 * @param {Request} request
 * @param {Env} env
 * @param {(kind: string) => Response} refuse
 * @param {Next} next
 */
async function approve(name, decision, request, env, refuse, next) {
  if (!decision.admin) return next(request, decision);
  const text = await readText(request, decision.maxBody);
  if (text === null) return refuse("body");
  if (text === undefined) return refuse("too_large");
  const hash = hashOf(text);
  if (hash && (await instanceOf(env)).servers.has(name)) await vaultOf(env).approveServer(name, hash);
  return next(withBody(request, text), decision);
}

/** @param {string} text */
function hashOf(text) {
  try {
    const { hash } = JSON.parse(text);
    return typeof hash === "string" && /^[0-9a-f]{64}$/.test(hash) ? hash : "";
  } catch {
    return "";
  }
}

/**
 * Sends a person's browser to where a server's authorization is given. That of an
 * instance's server counts for all, so an administrator gives it.
 * @param {string} name
 * @param {Forward} decision
 * @param {Request} request
 * @param {Env} env
 * @param {(fault: import("./fault.mjs").Fault) => Response} say
 */
async function authorize(name, decision, request, env, say) {
  const entry = (await instanceOf(env)).servers.get(name);
  const conflict = (/** @type {string} */ why) => say({ status: 409, code: "conflict", error: `this server takes no authorization: ${why}`, hint: "GET /api/mcp says how it is" });
  /** @type {{url: string, headers: Record<string, string>} | undefined} */
  let server;
  let client;
  if (entry) {
    if (!decision.admin) return say({ status: 403, code: "forbidden", error: "this server is the instance's; authorizing it needs the scope admin", hint: "ask the owner" });
    const full = resolve(name, entry, env);
    if ("fault" in full) return conflict(full.fault);
    server = { url: entry.url ?? "", headers: full.headers };
    client = full.client;
  } else {
    server = await userOf(env, decision.user).server(name);
  }
  if (server && !entry && shared(env, decision.user)) return say({ status: 403, code: "forbidden", ...together });
  if (!server) return say({ status: 404, code: "not_found", error: "there is no such MCP server", hint: "GET /api/mcp lists them" });
  if (holdsToken(server.headers)) return conflict("it has a token in its headers");
  const applicant = applicantAt(decision.set.find(([header]) => header.toLowerCase() === publicUrl)?.[1] ?? "");
  if (!applicant) return say({ status: 503, code: "unavailable", error: "nobody can be sent back here: the gateway does not know its own address", hint: "have the owner set PUBLIC_URL for the gateway, to the address under which people reach it" });
  const keeper = entry ? vaultOf(env) : userOf(env, decision.user);
  const begun = await keeper.beginAuthorization(decision.user, name, server, applicant, client);
  if (!("location" in begun)) return say(begun);
  // A page says where it leads before it goes there.
  if (accepts(request, "application/json")) return withHeader(Response.json({ location: begun.location }, { headers: { "cache-control": "no-store" } }), decision.header);
  return withHeader(new Response(null, { status: 302, headers: { location: begun.location, "cache-control": "no-store" } }), decision.header);
}

/**
 * How we are known to authorization servers, at the address where people reach us. Our
 * document is of use where they can read it.
 * @param {string} address
 */
function applicantAt(address) {
  if (!URL.canParse(address)) return undefined;
  const url = new URL(address);
  const document = url.protocol === "https:" && !whyNotPublic(url) ? `${address}/api/mcp/client.json` : undefined;
  return { callback: `${address}/api/mcp/callback`, document };
}

/**
 * Takes the browser back. The agent is told which server it may use now, and no more.
 * @param {Forward} decision
 * @param {Request} request
 * @param {Env} env
 * @param {(fault: import("./fault.mjs").Fault) => Response} say
 * @param {Next} next
 */
async function comeBack(decision, request, env, say, next) {
  const { search, searchParams } = new URL(request.url);
  const instances = searchParams.get("state")?.startsWith("i");
  const keeper = instances ? vaultOf(env) : userOf(env, decision.user);
  const ended = await keeper.endAuthorization(decision.user, search);
  if (!("name" in ended) && accepts(request, "text/html")) return withHeader(new Response(null, { status: 303, headers: { location: `/tools?authorization=${endings[ended.code] ?? "failed"}`, "cache-control": "no-store" } }), decision.header);
  if (!("name" in ended)) return say(ended);
  return next(request, { ...decision, target: `/api/mcp/callback?server=${ended.name}` });
}

/** What the page is told of an authorization that came to nothing, by the code of the reason; as the agent tells it. @type {Record<string, string>} */
const endings = { forbidden: "denied", not_found: "unknown" };

/**
 * Whether a client names a kind of answer.
 * @param {Request} request
 * @param {string} kind
 */
const accepts = (request, kind) => (request.headers.get("accept") ?? "").includes(kind);

/**
 * @param {Request} request whose body was read
 * @param {object | string} body
 */
function withBody(request, body) {
  const headers = new Headers(request.headers);
  headers.delete("content-length");
  return new Request(request.url, { method: request.method, headers, body: typeof body === "string" ? body : JSON.stringify(body), signal: request.signal });
}
