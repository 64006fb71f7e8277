/** Bounds on what is read of others. */
import { readBody } from "../edge/body.mjs";

/**
 * A body of at most so many bytes; null when it is longer.
 * @param {ReadableStream<Uint8Array> | null} body
 * @param {number} max
 * @returns {Promise<Uint8Array<ArrayBuffer> | null>}
 */
export async function bounded(body, max) {
  const chunks = await readBody({ body }, max);
  return chunks ? new Uint8Array(await new Blob(chunks).arrayBuffer()) : null;
}

/**
 * Reads a body away, up to so many bytes.
 * @param {ReadableStream<Uint8Array> | null} body
 * @param {number} max
 */
export async function drained(body, max) {
  let seen = 0;
  for await (const chunk of body ?? []) if ((seen += chunk.byteLength) > max) return; // leaving the loop cancels the rest
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
