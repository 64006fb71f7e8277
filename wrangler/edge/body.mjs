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
