/**
 * Reaches servers of tools and their authorization servers. Each address is judged,
 * that of a redirect, too, and what is secret goes to its own host only.
 */
import { serverAddress } from "./entry.mjs";

const maxRedirects = 5;
const moved = [301, 302, 303, 307, 308];

/** Why a server is not reached, in words of ours. */
export class Unreached extends Error {}

/**
 * @param {URL} first an address that was judged
 * @param {{method: string, headers: Headers, body?: BodyInit, signal: AbortSignal}} what
 * @param {[string, string][]} own headers for that address's host alone
 * @param {Set<string>} privates
 * @returns {Promise<{answer: Response, home: boolean}>} home: it is that host's answer
 */
export async function send(first, what, own, privates) {
  let { method, body } = what;
  const shared = new Headers(what.headers);
  let url = first;
  for (let hops = 0; ; hops++) {
    const home = url.origin === first.origin;
    const headers = new Headers(shared);
    if (home) for (const [name, value] of own) headers.set(name, value);
    else for (const name of ["authorization", "cookie", "mcp-session-id"]) headers.delete(name);
    const answer = await fetch(url.href, { method, headers, body, redirect: "manual", signal: what.signal });
    const to = answer.headers.get("location");
    if (!moved.includes(answer.status) || !to) return { answer, home };
    await answer.body?.cancel();
    if (hops >= maxRedirects) throw new Unreached(`it redirects more than ${maxRedirects} times`);
    const next = URL.canParse(to, url) ? serverAddress(new URL(to, url).href, privates) : undefined;
    if (!(next instanceof URL)) throw new Unreached("it redirects to an address that is not reached");
    url = next;
    if (answer.status < 307 && method !== "GET" && method !== "HEAD") {
      method = "GET"; // as browsers and Go do
      body = undefined;
      shared.delete("content-type");
    }
  }
}
