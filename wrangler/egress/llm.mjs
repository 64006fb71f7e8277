/**
 * The egress proxy's part to the models: adds the provider's key, which the container never
 * sees, and lets nothing through but the chat of configured providers.
 */
import table from "../../agent/model/providers/providers.json" with { type: "json" };
import { outgoingBody } from "../edge/body.mjs";
import { answerOpenAI } from "../edge/fault.mjs";
import { drained } from "./bytes.mjs";

/** The providers, as the agent knows them. */
const known = new Map(table.filter(({ protocol }) => protocol !== "offline").map((row) => [row.name, row]));

/** The variables by which an owner chooses models: no secrets. */
export const modelVariables = table.flatMap(({ models }) => models);

const chat = "/chat/completions";
const messages = "/messages"; // Anthropic's own protocol

/**
 * How long a request may be: as long as the provider takes that takes most. The agent
 * sends at most 14 MiB of pictures, which are 19 MB as base64, and some text.
 */
const maxRequest = 32 << 20;

/** What of the agent's request a provider may see. */
const passed = ["accept", "content-type", "anthropic-version", "anthropic-beta"];

/**
 * The providers that can be asked, in the order of preference.
 * @param {Env} env
 * @returns {string[]}
 */
export function providers(env) {
  return [...known.values()]
    .filter(({ name, keys, urls }) => firstOf(env, keys) !== "" || (name === "ollama" && firstOf(env, urls) !== ""))
    .map(({ name }) => name);
}

/**
 * @param {Request} request POST /PROVIDER/chat/completions, or /anthropic/messages
 * @param {Env} env
 * @returns {Promise<Response>}
 */
export async function llm(request, env) {
  const { pathname } = new URL(request.url);
  const name = pathname.split("/")[1] ?? "";
  const row = known.get(name);
  const path = pathname.slice(name.length + 1);
  const leads = path === chat || (row?.protocol === "anthropic" && (path === messages || path === `/v1${messages}`));
  if (!row || !providers(env).includes(name) || !leads) {
    return refuse(404, "not_found", "the egress proxy does not lead there", "set the key of the provider on the Worker");
  }
  if (request.method !== "POST") return refuse(405, "method_not_allowed", "models are asked with POST", "");
  const headers = new Headers();
  for (const header of passed) {
    const value = request.headers.get(header);
    if (value !== null) headers.set(header, value);
  }
  const secret = firstOf(env, row.keys);
  const body = await bodyOf(request).catch(() => "broken");
  if (body === "broken") return refuse(400, "invalid_request", "the request broke off", "send it again");
  if (body === undefined) return refuse(413, "too_large", "a request to a model has at most 32 MiB", "send fewer or smaller files with a message, or begin a new conversation");
  try {
    const base = firstOf(env, row.urls) || row.base;
    const url = path === chat ? endpoint(name, base) : messagesEndpoint(base);
    if (secret) addKey(headers, secret, path !== chat, new URL(url).hostname);
    const answer = await fetch(url, { method: "POST", headers, body, redirect: "manual", signal: request.signal });
    return new Response(answer.body, { status: answer.status, headers: told(answer.headers) });
  } catch {
    // The cause could hold the address with what the owner put into it.
    return refuse(502, "provider_failed", `${name} cannot be reached`, "check the address of the provider");
  }
}

/**
 * The body of a request, whose length the agent always says.
 * @param {Request} request
 * @returns {Promise<ReadableStream | Blob | null | undefined>} nothing when it is too long
 */
async function bodyOf(request) {
  if (Number(request.headers.get("content-length")) <= maxRequest) return outgoingBody(request, maxRequest);
  await drained(request.body, 2 * maxRequest); // or whoever sends it may not get to read the refusal
  return undefined;
}

/** What the agent needs of an answer. @param {Headers} from */
function told(from) {
  const headers = new Headers();
  for (const [name, value] of from) {
    if (/^(content-type|retry-after|x-request-id|request-id|x-ratelimit-.*|anthropic-ratelimit-.*)$/.test(name)) headers.set(name, value);
  }
  return headers;
}

/**
 * The address of the chat out of either form of base URL, the folder ("…/v4") or
 * the full path.
 * @param {string} name
 * @param {string} base
 */
export function endpoint(name, base) {
  const url = new URL(base.trim());
  url.hash = "";
  let path = url.pathname.replace(/\/+$/, "");
  if (name === "anthropic") path = path.replace(/\/messages$/, ""); // the address of its own protocol
  path = path.endsWith(chat) ? path.slice(0, -chat.length) : path;
  if (path === "" && (name === "ollama" || name === "anthropic")) path = "/v1"; // people know these by their bare address
  url.pathname = path + chat;
  return url.href;
}

/**
 * The address of Anthropic's own protocol out of any form of base URL: the full path
 * of either protocol, the folder that ends in /v1, or what stands before that.
 * @param {string} base
 */
export function messagesEndpoint(base) {
  const url = new URL(base.trim());
  url.hash = "";
  let path = url.pathname.replace(/\/+$/, "");
  if (!path.endsWith(messages)) {
    path = path.endsWith(chat) ? path.slice(0, -chat.length) : path;
    path = (path.endsWith("/v1") ? path : `${path}/v1`) + messages;
  }
  url.pathname = path;
  return url.href;
}

/**
 * Shows the provider its key: Anthropic in the header that it has for it, and
 * servers that imitate it in both, since many gateways want the other one.
 * @param {Headers} headers
 * @param {string} secret
 * @param {boolean} own whether this is Anthropic's own protocol
 * @param {string} host
 */
function addKey(headers, secret, own, host) {
  if (own) headers.set("x-api-key", secret);
  if (!own || !/(^|\.)anthropic\.com$/.test(host)) headers.set("authorization", `Bearer ${secret}`);
}

/**
 * The first of several variables that is set, else "".
 * @param {Env} env
 * @param {string[]} names
 */
function firstOf(env, names) {
  return names.map((name) => text(env, name)).find(Boolean) ?? "";
}

/**
 * @param {Env} env
 * @param {string} name
 */
function text(env, name) {
  const value = /** @type {Record<string, unknown>} */ (/** @type {unknown} */ (env))[name];
  return typeof value === "string" ? value.trim() : "";
}

/**
 * @param {number} status
 * @param {string} code
 * @param {string} error
 * @param {string} hint
 */
function refuse(status, code, error, hint) {
  return answerOpenAI({ status, code, error, hint });
}
