/**
 * What the entry of a server of tools may hold. The rules are those of agent/tools/mcp,
 * which sees no header of a server here: so they are kept on this side, too.
 */
import { whyNotPublic } from "../egress/web.mjs";

const maxUrl = 2048;
const maxHeaders = 32;
const maxHeader = 8 << 10;

/** As agent/tools/mcp has it. */
export const serverName = /^[a-z0-9_-]{1,32}$/;
const headerName = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$/;
/** Headers that belong to the transport or the protocol. */
const reserved = /^(mcp-.*|host|content-length|content-type|transfer-encoding|connection|upgrade|te|trailer|accept|last-event-id|proxy-authorization|proxy-connection|x-loongclaw-.*|cf-connecting-ip)$/;

/** @typedef {{fault: string, hint: string}} Fault */

/**
 * The HOST:PORT that the owner lets be reached over HTTP, or although they are private.
 * @param {Env} env
 * @returns {Set<string>}
 */
export function privateHosts(env) {
  const hosts = (env.MCP_PRIVATE_HOSTS ?? "").split(",").map((host) => host.trim()).filter((host) => /:\d+$/.test(host) && URL.canParse(`http://${host}`));
  return new Set(hosts.map((host) => hostPort(new URL(`http://${host}`))));
}

/** @param {URL} url */
function hostPort({ protocol, hostname, port }) {
  return `${hostname}:${port || (protocol === "https:" ? "443" : "80")}`;
}

/**
 * Reads the address of a server. Over plain HTTP, and on hosts that are not public, only
 * what the owner has listed is reached.
 * @param {unknown} text
 * @param {Set<string>} privates
 * @returns {URL | Fault}
 */
export function serverAddress(text, privates) {
  if (typeof text !== "string" || !/^https?:\/\/[^/\\]/i.test(text) || !URL.canParse(text)) return { fault: "that is not the address of an MCP server", hint: "write it as https://host/mcp" };
  if (text.length > maxUrl) return { fault: "the server's address is longer than 2048 bytes", hint: "give a shorter one" };
  const url = new URL(text);
  if (url.username || url.password) return { fault: "an address with a user name or password in it is not taken", hint: "put what the server asks for into a header" };
  url.hash = "";
  if (privates.has(hostPort(url))) return url;
  if (url.protocol !== "https:") return { fault: "only https addresses are reached", hint: "use https, or have the owner list the host and port in MCP_PRIVATE_HOSTS" };
  const why = whyNotPublic(url);
  return why ? { fault: why, hint: "use a host of the public internet, or have the owner list the host and port in MCP_PRIVATE_HOSTS" } : url;
}

/** Why a user has no servers of their own where users share a container (ADR 49). */
export const together = {
  error: "all users share one container here, which could use one user's server for another",
  hint: "have the owner set it up for everybody in config/mcp.json, or give each user a container with AGENT_PLACEMENT=user",
};

/**
 * Looks at the headers of an entry.
 * @param {unknown} headers
 * @returns {Fault | undefined}
 */
export function faultOfHeaders(headers) {
  if (headers === undefined || headers === null) return undefined;
  if (typeof headers !== "object" || Array.isArray(headers)) return { fault: "headers is an object of names and values", hint: 'send {"headers":{"NAME":"VALUE"}}' };
  const all = Object.entries(headers);
  if (all.length > maxHeaders) return { fault: `an MCP server has more than ${maxHeaders} headers`, hint: "send fewer" };
  const seen = new Set();
  for (const [name, value] of all) {
    const small = name.toLowerCase();
    if (!headerName.test(name) || reserved.test(small)) return { fault: `the header ${JSON.stringify(name.slice(0, 64))} cannot be set`, hint: "name one that the server asks for, such as Authorization" };
    if (seen.has(small)) return { fault: `the header ${JSON.stringify(name.slice(0, 64))} is there twice, in capitals and small letters`, hint: "keep one of the two" };
    seen.add(small);
    if (typeof value !== "string" || value.length > maxHeader || !/^[\t\x20-\x7e]*$/.test(value)) {
      return { fault: `the value of the header ${JSON.stringify(name.slice(0, 64))} is too long, or holds more than plain characters of one line`, hint: "send the value as the server gave it" };
    }
  }
  return undefined;
}

/**
 * Whether headers hold a token already: such a server takes no other authorization.
 * @param {Record<string, string>} headers
 */
export function holdsToken(headers) {
  return Object.keys(headers).some((name) => name.toLowerCase() === "authorization");
}

/**
 * Tells one server from another that takes its name, by the same hash as the agent does
 * (Entry.identity in agent/tools/mcp): SHA-256 of what Go writes as JSON.
 * @param {{url?: string, command?: string, args?: string[], cwd?: string}} entry
 */
export async function identityOf({ url = "", command = "", args, cwd = "" }) {
  const json = JSON.stringify([url, command, args ?? null, cwd]).replace(/[<>&\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
  const sum = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(json));
  return Array.from(new Uint8Array(sum), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
