/**
 * Reads all of a request's body.
 * @param {Request} request
 * @param {number} max in bytes
 * @returns {Promise<Uint8Array[] | undefined>} nothing when it is longer
 */
export async function readBody(request, max) {
  /** @type {Uint8Array[]} */
  const chunks = [];
  let seen = 0;
  for await (const chunk of request.body ?? []) {
    seen += chunk.byteLength;
    if (seen > max) return undefined; // leaving the loop cancels the rest
    chunks.push(chunk);
  }
  return chunks;
}
