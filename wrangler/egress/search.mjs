/**
 * The egress proxy's part to the search providers: adds the key, which the container never sees,
 * and lets nothing through but a search of a provider that the owner has set up.
 */
import table from "../../agent/websearch/providers.json" with { type: "json" };
import { bounded } from "./bytes.mjs";
import { answeredHeader, refuse } from "./web.mjs";

const path = "/search/";
const maxQuestion = 16 << 10;
const maxAnswer = 2 << 20;
const waitMs = 30_000;
/** The end of a model's address: GLM has one for both. */
const chat = "/chat/completions";
const off = "none";

/** @typedef {(typeof table)[number]} Row */

/**
 * The provider that a container may ask: the named one, else the first that is set up.
 * @param {Env} env
 * @returns {string} empty where there is none
 */
export function searchProvider(env) {
  const named = text(env, "WEB_SEARCH_PROVIDER").toLowerCase();
  if (named === off) return "";
  if (named) return table.some(({ name }) => name === named) ? named : "";
  return table.find((row) => ready(env, row))?.name ?? "";
}

/**
 * @param {Env} env
 * @param {Row} row
 */
function ready(env, row) {
  return firstOf(env, row.auth === "none" ? row.urls : row.keys) !== "";
}

/** @param {URL} url of a request to the web's part */
export function isSearch(url) {
  return url.pathname.startsWith(path);
}

/**
 * @param {Request} request GET or POST /search/PROVIDER, as that provider wants it
 * @param {Env} env
 * @returns {Promise<Response>}
 */
export async function search(request, env) {
  const asked = new URL(request.url);
  const row = table.find(({ name }) => asked.pathname === path + name);
  if (!row || row.name !== searchProvider(env) || !ready(env, row)) return refuse(404, "the egress proxy leads to no such search");
  if (request.method !== row.method) return refuse(405, `${row.name} is asked with ${row.method}`);
  const question = request.method === "POST" ? await bounded(request.body, maxQuestion) : undefined;
  if (question === null || asked.search.length > maxQuestion) return refuse(413, "that is too long for a search");
  const secret = row.auth === "none" ? "" : firstOf(env, row.keys);
  try {
    const { url, authorization } = endpoint(row, firstOf(env, row.urls) || row.base);
    if (request.method === "GET") url.search = asked.search;
    const headers = new Headers({ accept: "application/json", "user-agent": "LoongClaw (web_search)" });
    if (question) headers.set("content-type", "application/json");
    if (authorization) headers.set("authorization", authorization);
    if (row.auth === "bearer") headers.set("authorization", `Bearer ${secret}`);
    else if (row.auth !== "none") headers.set(row.auth, secret);
    const signal = AbortSignal.any([request.signal, AbortSignal.timeout(waitMs)]);
    const answer = await fetch(url.href, { method: row.method, headers, body: question, redirect: "manual", signal });
    const body = await bounded(answer.body, maxAnswer);
    if (body === null) return refuse(502, `${row.name} sent more than ${maxAnswer} bytes`);
    return new Response(answer.status === 204 || answer.status === 304 ? null : without(body, secret), { status: answer.status, headers: told(answer.headers) });
  } catch {
    // The cause could hold the address with what the owner put into it.
    return refuse(502, `${row.name} cannot be reached or did not answer in time`);
  }
}

/**
 * The address of the search out of any form of the provider's: the full one, the
 * folder, or the bare host (agent/websearch reads them in the same way). A user and
 * a password in it go into a header, since addresses are fetched without.
 * @param {Row} row
 * @param {string} base
 * @returns {{url: URL, authorization: string}}
 */
export function endpoint(row, base) {
  const url = new URL(base.trim());
  const { username, password } = url;
  const authorization = username || password ? `Basic ${btoa(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`)}` : "";
  url.username = url.password = url.search = url.hash = "";
  let at = url.pathname.replace(/\/+$/, "");
  if (at.endsWith(chat)) at = at.slice(0, -chat.length);
  at ||= row.bare;
  url.pathname = at.endsWith(row.path) ? at : at + row.path;
  return { url, authorization };
}

/**
 * An answer without the key, which no provider has a reason to repeat.
 * @param {Uint8Array<ArrayBuffer>} body
 * @param {string} secret
 */
function without(body, secret) {
  if (secret.length < 8) return body;
  const said = new TextDecoder().decode(body);
  return said.includes(secret) ? said.replaceAll(secret, "[secret]") : body;
}

/** What the agent needs of an answer. @param {Headers} from */
function told(from) {
  const headers = new Headers({ [answeredHeader]: "answered" });
  for (const name of ["content-type", "retry-after", "x-ratelimit-reset"]) {
    const value = from.get(name);
    if (value !== null) headers.set(name, value);
  }
  return headers;
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
