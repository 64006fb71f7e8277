/**
 * Takes secrets out of what a server answers. A server was given them and could repeat
 * them, in an error say; what asks for its answer is a container, which may not read
 * them. A server that writes them in another form cannot be kept from it.
 */

/** Shorter ones would be found in harmless text. */
const shortest = 8;
const instead = "[secret]";

/**
 * What of a server's headers is a secret: each value, and the part of it after a scheme.
 * @param {Iterable<[string, string]>} headers
 * @returns {string[]} the longest first
 */
export function secretsOf(headers) {
  const found = new Set();
  for (const [, value] of headers) {
    for (const text of [value, value.replace(/^[A-Za-z]+ +/, "")]) {
      if (text.length >= shortest) {
        found.add(text);
        found.add(JSON.stringify(text).slice(1, -1)); // as JSON repeats it
      }
    }
  }
  return [...found].sort((a, b) => b.length - a.length);
}

/**
 * @param {string} text
 * @param {string[]} secrets
 */
export function masked(text, secrets) {
  return secrets.reduce((so, secret) => so.replaceAll(secret, instead), text);
}

/**
 * Masks a stream. Only what may be the beginning of a secret waits for the next piece,
 * so that no event of a stream is held up.
 * @param {string[]} secrets each character one byte
 * @returns {TransformStream<Uint8Array, Uint8Array>}
 */
export function masking(secrets) {
  let rest = "";
  const decoder = new TextDecoder("latin1"); // a character for each byte, and ASCII as it is
  return new TransformStream({
    transform(chunk, controller) {
      const seen = decoder.decode(chunk);
      if (rest === "" && !secrets.some((secret) => seen.includes(secret))) {
        const held = beginning(seen, secrets);
        rest = seen.slice(seen.length - held);
        if (seen.length > held) controller.enqueue(chunk.subarray(0, chunk.length - held));
        return;
      }
      const text = masked(rest + latin1(chunk), secrets);
      const held = beginning(text, secrets);
      rest = text.slice(text.length - held);
      if (text.length > held) controller.enqueue(bytes(text.slice(0, text.length - held)));
    },
    flush(controller) {
      if (rest) controller.enqueue(bytes(rest));
    },
  });
}

/**
 * How many bytes at the end could be a secret's beginning.
 * @param {string} text
 * @param {string[]} secrets
 */
function beginning(text, secrets) {
  const longest = (secrets[0]?.length ?? 0) - 1;
  for (let at = Math.max(0, text.length - longest); at < text.length; at++) {
    if (secrets.some((secret) => secret[0] === text[at] && secret.startsWith(text.slice(at)))) return text.length - at;
  }
  return 0;
}

/** @param {Uint8Array} chunk */
function latin1(chunk) {
  let text = "";
  for (let at = 0; at < chunk.length; at += 8192) text += String.fromCharCode(...chunk.subarray(at, at + 8192));
  return text;
}

/** @param {string} text */
function bytes(text) {
  const out = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) out[i] = text.charCodeAt(i);
  return out;
}
