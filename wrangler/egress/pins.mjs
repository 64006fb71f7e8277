/**
 * What a container may write of the approvals of the instance's servers. They count for
 * all, so one container must not approve anything: it notes what it saw, and writes an
 * approval that an administrator has just given, of those definitions only.
 */
import { identityOf, serverName } from "../mcp/entry.mjs";
import { instanceOf } from "../mcp/instance.mjs";
import { vaultName } from "../objects/names.mjs";
import { bounded } from "./bytes.mjs";
import { idOf } from "./keys.mjs";
import { problem } from "./s3xml.mjs";

const prefix = "config/mcp-pins/";
const maxPin = 4 << 20; // hashes of 2,000 tools, and their names
const hash = /^[0-9a-f]{64}$/;
const revision = /^\d{4}-\d{2}-\d{2}$/;

/** @typedef {{of: string, hash?: string, tools?: Record<string, unknown>, version: number, changed?: string, protocol?: string}} Pin agent/tools/mcp, Pin */

/**
 * The server whose approval a request would write; nothing where it is about something else.
 * @param {Request} request
 */
export function pinned(request) {
  const key = new URL(request.url).pathname.replace(/^\/[^/]+\//, "");
  return request.method === "PUT" && key.startsWith(prefix) ? key.slice(prefix.length) : undefined;
}

/**
 * @param {Request} request a put
 * @param {string} name as it stands in the key
 * @param {Env} env
 * @returns {Promise<Response>}
 */
export async function pin(request, name, env) {
  const refused = problem(403, "AccessDenied", "a container notes what it saw of a server, and approves nothing");
  const { STORE: store, VAULT: vault } = env;
  const server = decoded(name);
  const entry = server === undefined ? undefined : (await instanceOf(env)).servers.get(server);
  if (!store || server === undefined || !entry) return refused;
  const body = await bounded(request.body, maxPin);
  const after = body && parse(new TextDecoder().decode(body));
  if (!after) return refused;
  const key = prefix + name;
  const object = await store.get(key);
  const before = object ? parse(await object.text()) : undefined;
  const condition = request.headers.get("if-match");
  // The condition makes sure that what is replaced is what was looked at.
  if (object ? condition !== object.httpEtag : request.headers.get("if-none-match") !== "*") return problem(412, "PreconditionFailed", "the condition does not hold");
  const approved = (await vault?.getByName(vaultName).approvedServer(server)) ?? "";
  if (!mayWrite(before, after, await identityOf(entry.command === undefined ? { url: entry.url } : entry), approved)) return refused;
  const put = await store.put(key, body, { onlyIf: object ? { etagMatches: object.etag } : new Headers({ "If-None-Match": "*" }) });
  return put ? new Response(null, { headers: { ETag: put.httpEtag } }) : problem(412, "PreconditionFailed", "the condition does not hold");
}

/**
 * @param {Pin | undefined} before
 * @param {Pin} after
 * @param {string} identity of the server that has this name now
 * @param {string} approved the definitions that an administrator has just approved; empty: none
 */
export function mayWrite(before, after, identity, approved) {
  const same = before?.of === identity;
  const least = before?.version ?? 0;
  if (after.of !== identity || after.version < least || after.version > least + 1) return false;
  if (after.changed !== undefined && after.changed !== "" && !hash.test(after.changed)) return false;
  if (after.protocol !== undefined && after.protocol !== "" && !revision.test(after.protocol)) return false;
  if (approved !== "" && after.hash === approved) return true;
  if ((after.hash ?? "") !== ((same && before?.hash) || "")) return false;
  return canonical(after.tools) === canonical(same ? before?.tools : undefined);
}

/** @param {unknown} tools */
function canonical(tools) {
  return JSON.stringify(Object.entries(tools ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, seen]) => [name, Object.entries(/** @type {object} */ (seen ?? {})).sort()]));
}

const known = ["of", "hash", "tools", "version", "changed", "protocol"];

/** @param {string} text @returns {Pin | undefined} */
function parse(text) {
  try {
    const pin = JSON.parse(text);
    const right = typeof pin === "object" && pin !== null && Object.keys(pin).every((name) => known.includes(name)) && typeof pin.of === "string" && Number.isSafeInteger(pin.version) && pin.version >= 0;
    return right && (pin.tools === undefined || (typeof pin.tools === "object" && pin.tools !== null)) ? pin : undefined;
  } catch {
    return undefined;
  }
}

/** The name of a server that a segment of a key stands for. @param {string} text */
function decoded(text) {
  const name = idOf(text);
  return name !== undefined && serverName.test(name) ? name : undefined;
}
