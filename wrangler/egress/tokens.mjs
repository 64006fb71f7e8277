/**
 * The tokens that the egress proxy accepts: each is for one user's part of the store, and
 * made of a key that only the Worker knows. A container that many users share has the
 * tokens of those who have asked it for something, and of no other.
 */
import { segment } from "./keys.mjs";

/** Carries a token: from a container to the egress proxy, and to a container with each request of its user's. */
export const egressHeader = "X-LoongClaw-Door";

const keyBytes = 32;

/** A key for one start of a container. */
export function drawKey() {
  return hex(crypto.getRandomValues(new Uint8Array(keyBytes)));
}

/**
 * @param {string} key
 * @param {string} user
 */
export async function tokenOf(key, user) {
  const part = segment(user);
  const mac = await crypto.subtle.sign("HMAC", await imported(key), new TextEncoder().encode(part));
  return `${part}.${hex(new Uint8Array(mac))}`;
}

/**
 * Whose a token is: the segment that the keys of the user's objects have.
 * @param {string} key
 * @param {string} token
 * @returns {Promise<string | undefined>} nothing when it is none of this start's
 */
export async function partOf(key, token) {
  const [, part, mac] = /^([a-z0-9_-]+)\.([0-9a-f]{64})$/.exec(token) ?? [];
  if (!part || key.length !== 2 * keyBytes) return undefined;
  const right = await crypto.subtle.verify("HMAC", await imported(key), bytes(mac), new TextEncoder().encode(part));
  return right ? part : undefined;
}

/** @param {string} key */
function imported(key) {
  return crypto.subtle.importKey("raw", bytes(key), { name: "HMAC", hash: "SHA-256" }, false, ["sign", "verify"]);
}

/** @param {Uint8Array} from */
function hex(from) {
  return Array.from(from, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param {string} text */
function bytes(text) {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
