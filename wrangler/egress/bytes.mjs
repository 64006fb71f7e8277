/** Bounds on what is read of others. */

/**
 * A body of at most so many bytes; null when it is longer.
 * @param {ReadableStream<Uint8Array> | null} body
 * @param {number} max
 * @returns {Promise<Uint8Array<ArrayBuffer> | null>}
 */
export async function bounded(body, max) {
  /** @type {Uint8Array[]} */
  const pieces = [];
  let size = 0;
  if (body) {
    const reader = body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      size += value.byteLength;
      if (size > max) {
        await reader.cancel().catch(() => {});
        return null;
      }
      pieces.push(value);
    }
  }
  const all = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.byteLength;
  }
  return all;
}

/**
 * Ends a stream with an error at more than so many bytes.
 * @param {number} max
 */
export function capped(max) {
  let seen = 0;
  return new TransformStream({
    transform(chunk, controller) {
      seen += chunk.byteLength;
      if (seen > max) controller.error(new RangeError("the answer is too large"));
      else controller.enqueue(chunk);
    },
  });
}
