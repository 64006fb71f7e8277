/**
 * The egress proxy's part to the web, for web_fetch: fetches one page, from a network with
 * nothing private in it. It follows no redirect: the agent judges each address.
 */

import { answerFault } from "../edge/fault.mjs";
import { capped } from "./bytes.mjs";

/** Stands on what a site answered, and not on what the proxy says itself. */
export const answeredHeader = "X-LoongClaw-Web";

const maxBytes = 5 << 20;
const waitMs = 30_000;
const ports = ["", "80", "443", "8080", "8443"];

/**
 * @param {Request} request GET /?url=…
 * @returns {Promise<Response>}
 */
export async function web(request) {
  if (request.method !== "GET") return refuse(405, "pages are fetched with GET");
  const to = target(new URL(request.url).searchParams.get("url") ?? "");
  if (typeof to === "string") return refuse(403, to);
  const headers = new Headers();
  for (const name of ["accept", "accept-language", "user-agent"]) {
    const value = request.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  try {
    const signal = AbortSignal.any([request.signal, AbortSignal.timeout(waitMs)]);
    const answer = await fetch(to, { headers, redirect: "manual", signal });
    if (Number(answer.headers.get("content-length") ?? 0) > maxBytes) {
      await answer.body?.cancel();
      return refuse(502, `the page at ${to.hostname} is larger than ${maxBytes} bytes`);
    }
    const out = new Headers({ [answeredHeader]: "answered" });
    for (const name of ["content-type", "location", "last-modified"]) {
      const value = answer.headers.get(name);
      if (value !== null) out.set(name, value);
    }
    return new Response(answer.body?.pipeThrough(capped(maxBytes)), { status: answer.status, headers: out });
  } catch {
    return refuse(502, `${to.hostname} cannot be reached or did not answer in time`);
  }
}

/**
 * @param {string} text
 * @returns {URL | string} where to go, or why not
 */
export function target(text) {
  if (!URL.canParse(text)) return "that is no address";
  const url = new URL(text);
  if (url.protocol !== "https:" && url.protocol !== "http:") return "only http and https pages are fetched";
  if (url.username || url.password) return "an address with a user in it is not fetched";
  if (!ports.includes(url.port)) return `port ${url.port} is not one of the web's`;
  return whyNotPublic(url) || url;
}

/**
 * Why a host is not on the public internet; empty where it may be.
 * @param {URL} url
 */
export function whyNotPublic({ hostname }) {
  // The URL parser has brought every way to write an IPv4 address into this form.
  if (/^\d+\.\d+\.\d+\.\d+$/.test(hostname) || hostname.startsWith("[")) return "hosts are reached by name, not by address";
  const name = hostname.replace(/\.$/, "");
  if (name.includes(".") && !/\.(internal|local|localhost|lan|home|corp|private|intranet|arpa|onion|test|invalid|example)$/.test(name)) return "";
  return `${name} is not on the public internet`;
}

/**
 * What this part of the egress proxy says itself, for the agent.
 * @param {number} status
 * @param {string} error
 */
export function refuse(status, error) {
  return answerFault({ status, code: "web_refused", error });
}
