/**
 * The one writer of errors that JavaScript makes itself: what Go words (core.fail) is
 * written there. The forms are those of pkg/fault.
 */

/**
 * @typedef {object} Fault
 * @property {number} status
 * @property {string} code one of pkg/fault; the web's part of the egress proxy has one of its own
 * @property {string} error what happened
 * @property {string} [hint] what to do next
 * @property {string} [requestId] none where the caller is the agent
 * @property {HeadersInit} [headers]
 */

/**
 * An error as clients of our own paths and the agent read it.
 * @param {Fault} fault
 */
export function answerFault({ status, code, error, hint, requestId, headers }) {
  return answer(status, { error, code, hint, requestId }, requestId, headers);
}

/**
 * An error as clients of OpenAI's paths read it.
 * @param {Fault} fault
 */
export function answerOpenAI({ status, code, error, hint, requestId, headers }) {
  const type = status >= 500 ? "server_error" : "invalid_request_error";
  return answer(status, { error: { message: error, type, param: null, code, hint, requestId } }, requestId, headers);
}

/** A request's id, where nothing has settled one. */
export function newRequestId() {
  return crypto.randomUUID().replaceAll("-", "");
}

/**
 * @param {number} status
 * @param {object} body
 * @param {string | undefined} requestId
 * @param {HeadersInit | undefined} more
 */
function answer(status, body, requestId, more) {
  const headers = new Headers(more);
  headers.set("Cache-Control", "no-store");
  headers.set("X-Content-Type-Options", "nosniff");
  if (requestId) headers.set("X-Request-Id", requestId);
  if ((status === 429 || status === 503) && !headers.has("Retry-After")) headers.set("Retry-After", "2");
  return Response.json(body, { status, headers });
}
