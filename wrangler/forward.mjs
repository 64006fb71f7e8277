/**
 * Sends a request on to an agent and its answer back. Bodies are streams that
 * stay in JavaScript's host: no byte of them passes through Go.
 */
import { withHeader } from "./carry.mjs";

/** How long an agent may take for the head of an answer that is no stream. */
const answerMs = 60_000;

const hopByHop = [
  "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
  "transfer-encoding", "upgrade",
];

/** Says that a body is longer than the core allows. */
class TooLarge extends Error {}

/**
 * @param {import("./message.mjs").Forward} decision
 * @param {Request} request
 * @param {(kind: string) => Response} refuse
 * @returns {Promise<Response>}
 */
export async function forward(decision, request, refuse) {
  const length = Number(request.headers.get("content-length") ?? "0");
  if (length > decision.maxBody) return refuse("too_large");
  const end = new AbortController();
  const timer = decision.stream ? null : setTimeout(() => end.abort(new DOMException("", "TimeoutError")), answerMs);
  const gone = () => end.abort();
  request.signal?.addEventListener("abort", gone, { once: true });
  try {
    const answer = await fetch(decision.agent + decision.target, {
      method: decision.method,
      headers: outgoing(request, decision),
      body: outgoingBody(request, decision.maxBody, end),
      redirect: "manual",
      signal: end.signal,
    });
    const headers = new Headers(answer.headers);
    for (const name of dropped(headers)) headers.delete(name);
    // The answer to a HEAD was asked for as GET: its body stays here.
    const body = request.method === "HEAD" ? null : answer.body;
    if (body === null) await answer.body?.cancel();
    return withHeader(new Response(body, { status: answer.status, headers }), decision.header);
  } catch (cause) {
    return refuse(kindOf(end.signal.aborted ? end.signal.reason : cause));
  } finally {
    clearTimeout(timer);
  }
}

/**
 * @param {Request} request
 * @param {import("./message.mjs").Forward} decision
 */
function outgoing(request, decision) {
  const headers = new Headers(request.headers);
  for (const name of [...dropped(headers), ...decision.drop]) headers.delete(name);
  for (const [name] of decision.set) headers.delete(name);
  for (const [name, value] of decision.set) headers.append(name, value);
  return headers;
}

/** @param {Headers} headers */
function dropped(headers) {
  const named = (headers.get("connection") ?? "").split(",").map((name) => name.trim()).filter((name) => /^[\w-]+$/.test(name));
  return [...hopByHop, ...named];
}

/**
 * A body whose length was said is held to it by HTTP itself and streams
 * natively; only one without a length is counted.
 * @param {Request} request
 * @param {number} max
 * @param {AbortController} end
 */
function outgoingBody(request, max, end) {
  if (!request.body || request.headers.has("content-length")) return request.body;
  let seen = 0;
  return request.body.pipeThrough(new TransformStream({
    transform(chunk, out) {
      seen += chunk.byteLength;
      if (seen > max) {
        end.abort(new TooLarge());
        out.error(new TooLarge());
        return;
      }
      out.enqueue(chunk);
    },
  }));
}

/** @param {unknown} cause */
function kindOf(cause) {
  if (cause instanceof TooLarge) return "too_large";
  if (cause instanceof DOMException && cause.name === "TimeoutError") return "timeout";
  // workerd says no more than this text about a connection that was refused.
  if (/refused|couldn't connect|could not connect|dns/i.test(String(cause))) return "unreachable";
  return "broken";
}
