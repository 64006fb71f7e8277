/**
 * The instance's servers of tools, read where the trust lies: from config/mcp.json in the
 * store, by the Worker. Values of ${MCP_…} come from the Worker's secrets. A container is
 * told the part of it that is no secret.
 */
import { faultOfHeaders, privateHosts, serverAddress, serverName } from "./entry.mjs";

/** Where the instance's servers are configured; no container reads it. */
export const configKey = "config/mcp.json";

const maxConfig = 1 << 20;
/** How old the configuration may be. */
const freshMs = 10_000;
/** What may stand around a variable in a credential: "Bearer ", "Token token=". */
const maxAround = 24;

const variable = /\$\{([^}]*)\}/g;
const ownName = /^MCP_[A-Z0-9_]+$/;

/** @typedef {{url?: string, headers?: Record<string, string>, command?: string, args?: string[], cwd?: string, allow?: string[], oauth?: {clientId?: string, clientSecret?: string}}} Entry */
/** @typedef {{servers: Map<string, Entry>, fault?: string}} Instance */
/** @typedef {{url: URL, headers: Record<string, string>, client?: {id: string, secret?: string}}} Resolved */

/** @type {{store: R2Bucket | undefined, at: number, instance: Promise<Instance>} | undefined} */
let known;

/**
 * @param {Env} env
 * @param {number} [now]
 * @returns {Promise<Instance>}
 */
export function instanceOf(env, now = Date.now()) {
  if (!known || known.store !== env.STORE || now - known.at > freshMs) {
    known = { store: env.STORE, at: now, instance: read(env.STORE) };
    known.instance.catch(() => (known = undefined)); // the next one asks anew
  }
  return known.instance;
}

/** @param {R2Bucket | undefined} store */
async function read(store) {
  const object = await store?.get(configKey);
  if (!object) return { servers: new Map() };
  if (object.size > maxConfig) return { servers: new Map(), fault: `${configKey} is larger than 1 MiB` };
  return parse(await object.text());
}

/**
 * @param {string} text
 * @returns {Instance}
 */
export function parse(text) {
  const nothing = (/** @type {string} */ fault) => ({ servers: new Map(), fault: `${configKey}: ${fault}; docs/CONFIGURATION.md shows the form` });
  let file;
  try {
    file = JSON.parse(text);
  } catch {
    return nothing("it is not JSON"); // the cause would repeat of it
  }
  const all = file?.mcpServers;
  if (!isObject(file) || !isObject(all)) return nothing('it is not of the form {"mcpServers":{"NAME":{"url":"https://…"}}}');
  const servers = new Map();
  for (const [name, entry] of Object.entries(all)) {
    if (!serverName.test(name)) return nothing(`${JSON.stringify(name.slice(0, 64))} is not the name of an MCP server; use 1 to 32 of the characters a-z, 0-9, _ and -`);
    if (!isObject(entry)) return nothing(`${name} is no object`);
    servers.set(name, entry);
  }
  return { servers };
}

/** @param {unknown} value @returns {value is Record<string, any>} */
function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Fills in the secrets of an entry.
 * @param {string} name
 * @param {Entry} entry
 * @param {Env} env
 * @returns {Resolved | {fault: string}}
 */
export function resolve(name, entry, env) {
  if (entry.command !== undefined) return { fault: "this host starts no programs; give the server a url" };
  const url = serverAddress(entry.url, privateHosts(env));
  if (!(url instanceof URL)) return { fault: `${url.fault}; ${url.hint}` };
  const wrong = faultOfHeaders(entry.headers);
  if (wrong) return { fault: `${wrong.fault}; ${wrong.hint}` };
  const written = entry.headers ?? {};
  for (const [header, value] of Object.entries(written)) {
    if (/^(authorization|cookie)$/i.test(header) && isLiteral(value)) return { fault: literal(`the header ${header}`, name) };
  }
  const { clientId, clientSecret } = entry.oauth ?? {};
  if (clientSecret && isLiteral(String(clientSecret))) return { fault: literal("the clientSecret", name) };
  if (entry.oauth && typeof clientId !== "string") return { fault: "oauth is for a url, and has a clientId; give the clientId that the authorization server knows, or leave oauth out" };
  try {
    const headers = Object.fromEntries(Object.entries(written).map(([header, value]) => [header, fill(value, env)]));
    const unfit = faultOfHeaders(headers);
    if (unfit) return { fault: `${unfit.fault}; set the secret again, as one line` };
    const client = clientId ? { id: fill(clientId, env), secret: clientSecret ? fill(String(clientSecret), env) : undefined } : undefined;
    return { url, headers, client };
  } catch (cause) {
    return { fault: /** @type {Error} */ (cause).message };
  }
}

/** Whether a value holds a secret that was written out. @param {string} value */
function isLiteral(value) {
  const around = value.replace(variable, "");
  return around === value || around.length > maxAround;
}

/**
 * @param {string} what
 * @param {string} name
 */
function literal(what, name) {
  const secret = `MCP_${name.toUpperCase().replaceAll("-", "_")}`;
  return `${what} is written out in ${configKey}, where it is no secret; run: npx wrangler secret put ${secret} --env production, and write \${${secret}} for it`;
}

/**
 * @param {string} text
 * @param {Env} env
 */
function fill(text, env) {
  return text.replace(variable, (_, name) => {
    if (!ownName.test(name)) throw new Error(`${JSON.stringify(String(name).slice(0, 80))} is not taken from the Worker's secrets; only those whose names begin with MCP_ are`);
    const value = /** @type {Record<string, unknown>} */ (/** @type {unknown} */ (env))[name];
    if (typeof value !== "string" || value === "") throw new Error(`${name} is not set on the Worker; run: npx wrangler secret put ${name} --env production`);
    return value.trim();
  });
}

/**
 * What a container is told of the instance's servers.
 * @param {Env} env
 */
export async function told(env) {
  const { servers, fault } = await instanceOf(env);
  const list = [...servers].map(([name, entry]) => {
    const full = resolve(name, entry, env);
    // An address with a user in it is refused, and is not told either.
    const url = "fault" in full && !(serverAddress(entry.url, privateHosts(env)) instanceof URL) ? undefined : entry.url;
    const shown = {
      url, command: typeof entry.command === "string" ? entry.command : undefined, allow: Array.isArray(entry.allow) ? entry.allow.filter((tool) => typeof tool === "string") : undefined,
      fault: "fault" in full ? full.fault : undefined,
    };
    return [name, shown];
  });
  return { servers: Object.fromEntries(list), fault };
}
