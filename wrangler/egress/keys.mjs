/** Which keys of the store a container may see and change for a user. */

const plainId = /^[a-z0-9][a-z0-9-]{0,63}$/;
const alphabet = "abcdefghijklmnopqrstuv0123456789";

/**
 * An id as one segment of a key, as agent/bucket makes it.
 * @param {string} id
 */
export function segment(id) {
  if (plainId.test(id)) return id;
  let text = "_";
  let bits = 0;
  let held = 0;
  for (const byte of new TextEncoder().encode(id)) {
    held = (held << 8) | byte;
    bits += 8;
    for (; bits >= 5; bits -= 5) text += alphabet[(held >> (bits - 5)) & 31];
    held &= (1 << bits) - 1;
  }
  if (bits > 0) text += alphabet[(held << (5 - bits)) & 31];
  return text;
}

/**
 * The id that a segment stands for.
 * @param {string} part
 * @returns {string | undefined} nothing where it stands for none
 */
export function idOf(part) {
  if (plainId.test(part)) return part;
  if (!part.startsWith("_")) return undefined;
  const out = [];
  let bits = 0;
  let held = 0;
  for (const c of part.slice(1)) {
    const five = alphabet.indexOf(c);
    if (five < 0) return undefined;
    held = (held << 5) | five;
    bits += 5;
    if (bits >= 8) {
      out.push((held >> (bits - 8)) & 255);
      bits -= 8;
    }
    held &= (1 << bits) - 1;
  }
  const id = new TextDecoder().decode(new Uint8Array(out));
  return segment(id) === part ? id : undefined; // it has one form only
}

/** What the segments of a key are made of (agent/bucket, CheckKey). */
const grammar = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/;
/** What the agent writes to see that the store keeps its conditions (agent/bucket, Prove). */
const proof = /^config\/check-[a-z0-9]+$/;
/** What holds secrets, or may: it is the Worker's to read. */
const secret = /^(config\/mcp\.json$|u\/[^/]+\/secrets\/)/;
/** What is written once and never again, below a user's prefix. */
const journal = /^(log|s\/[^/]+\/\d+\/log)\/\d+$/;

/**
 * Whether an object is as if it were not there, for a container.
 * @param {string} key
 */
export function hidden(key) {
  return secret.test(key);
}

/**
 * @param {string} key
 * @param {string} part the user's segment
 * @param {boolean} write
 * @param {string | null} ifNoneMatch of a put
 * @returns {string} why not; empty when it may
 */
export function allowed(key, part, write, ifNoneMatch) {
  const own = `u/${part}/`;
  if (!key.split("/").every((part) => grammar.test(part))) return "that is no key of an agent's";
  if (proof.test(key)) return "";
  if (key.startsWith("config/")) return write ? "the configuration is the owner's: a container only reads it" : "";
  if (!key.startsWith(own)) return "that is another's part of the store";
  if (write && ifNoneMatch !== "*" && journal.test(key.slice(own.length))) return "a journal's object is only created: send If-None-Match: *";
  return "";
}

/**
 * The prefix that a list may show: the one asked for, or of one above it the
 * user's own part.
 * @param {string} prefix
 * @param {string} part the user's segment
 * @returns {string | undefined} nothing when it is another's
 */
export function within(prefix, part) {
  const own = `u/${part}/`;
  if (prefix.startsWith(own) || prefix.startsWith("config/")) return prefix;
  return own.startsWith(prefix) ? own : undefined;
}
