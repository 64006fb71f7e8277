/**
 * Reads all of a body.
 * @param {{body: ReadableStream<Uint8Array> | null}} of a request or an answer
 * @param {number} max in bytes
 * @returns {Promise<Uint8Array<ArrayBuffer>[] | undefined>} nothing when it is longer
 */
export async function readBody({ body }, max) {
  /** @type {Uint8Array<ArrayBuffer>[]} */
  const chunks = [];
  let seen = 0;
  for await (const chunk of body ?? []) {
    seen += chunk.byteLength;
    if (seen > max) return undefined; // leaving the loop cancels the rest
    chunks.push(/** @type {Uint8Array<ArrayBuffer>} */ (chunk));
  }
  return chunks;
}

/**
 * A request's body as text; null when it breaks off, nothing when it is too long.
 * @param {Request} request
 * @param {number} max in bytes
 * @returns {Promise<string | null | undefined>}
 */
export async function readText(request, max) {
  const chunks = await readBody(request, max).catch(() => null);
  return chunks && new Blob(chunks).text();
}

/**
 * A request's body, to be sent on. One whose length was said passes as it comes: HTTP
 * holds it to that length, which its caller has judged, and no more of it is held here
 * than is on its way. One without is read first: workerd would end one that breaks off
 * here as if it were whole.
 * @param {Request} request
 * @param {number} max for one whose length was not said
 * @returns {Promise<ReadableStream | Blob | null | undefined>} nothing when it is too long
 */
export async function outgoingBody(request, max) {
  if (!request.body || request.headers.has("content-length")) return request.body;
  const chunks = await readBody(request, max);
  return chunks && new Blob(chunks);
}
