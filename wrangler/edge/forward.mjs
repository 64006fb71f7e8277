/**
 * Forwards a request to an agent and returns its answer. No byte of a body passes
 * through Go, and none of an answer's body through JavaScript either.
 *
 * A client that goes away needs nothing here: Cloudflare ends the request's
 * fetches with it. (workerd on its own notices at the next byte of the answer.)
 */
import { agentOf } from "../objects/agents.mjs";
import { outgoingBody } from "./body.mjs";
import { withHeader } from "./header.mjs";

/** How long an agent may take for the head of its answer; as natively. */
const answerMs = 30_000;
const streamMs = 900_000;

const hopByHop = [
  "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
  "transfer-encoding", "upgrade",
];

/**
 * @param {import("./message.mjs").Forward} decision
 * @param {Request} request
 * @param {Env} env
 * @param {(kind: string) => Response} refuse
 * @param {import("../objects/agents.mjs").Place} [place]
 * @returns {Promise<Response>}
 */
export async function forward(decision, request, env, refuse, place) {
  const body = await outgoingBody(request, decision.maxBody).catch(() => "broken");
  if (body === "broken") return refuse("body");
  if (body === undefined) return refuse("too_large");
  const end = new AbortController();
  const late = setTimeout(() => end.abort(), decision.stream ? streamMs : answerMs);
  try {
    const find = async () => place ?? placeOf(env, decision.user);
    const { answer, failed } = await agentOf(env, decision.agent, decision.user, decision.stream, find)(decision.target, {
      method: decision.method,
      headers: outgoingHeaders(request, decision),
      body,
      redirect: "manual",
      signal: end.signal,
    });
    if (failed) return await drop(answer, refuse(failed));
    // The agent accepts passes of this gateway only, so the client is not at fault.
    if (answer.status === 401) return await drop(answer, refuse("pass"));
    return await incoming(answer, decision, request);
  } catch {
    // workerd says no more than "Network connection lost", whatever happened.
    return refuse(end.signal.aborted ? "timeout" : "broken");
  } finally {
    clearTimeout(late);
  }
}

/**
 * @param {Env} env
 * @param {string} user
 */
function placeOf(env, user) {
  if (!env.USER) throw new Error("the binding USER is missing");
  return env.USER.getByName(user).place(user);
}

/**
 * @param {Response} answer
 * @param {Response} instead
 */
async function drop(answer, instead) {
  await answer.body?.cancel();
  return instead;
}

/**
 * @param {Response} answer
 * @param {import("./message.mjs").Forward} decision
 * @param {Request} request
 */
async function incoming(answer, decision, request) {
  const { status, headers } = answer;
  // A HEAD was asked of the agent as GET: the body stays here.
  const head = request.method === "HEAD";
  const out = new Response(head ? null : answer.body, { status, headers });
  for (const name of hops(headers)) out.headers.delete(name);
  return withHeader(head ? await drop(answer, out) : out, decision.header);
}

/**
 * @param {Request} request
 * @param {import("./message.mjs").Forward} decision
 */
function outgoingHeaders(request, decision) {
  const headers = new Headers(request.headers);
  for (const name of [...hops(headers), ...decision.drop]) headers.delete(name);
  for (const [name] of decision.set) headers.delete(name);
  for (const [name, value] of decision.set) headers.append(name, value);
  return headers;
}

/** @param {Headers} headers */
function hops(headers) {
  const named = (headers.get("connection") ?? "").split(",").map((name) => name.trim()).filter((name) => /^[\w-]+$/.test(name));
  return [...hopByHop, ...named];
}
