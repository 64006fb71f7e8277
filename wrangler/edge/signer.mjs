/**
 * Signs with Ed25519 for the core. It is node:crypto and not WebCrypto, because the core
 * cannot wait.
 */
import { createPrivateKey, sign } from "node:crypto";

/** What stands before the seed in the PKCS #8 form of a key of Ed25519 (RFC 8410). */
const head = [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
export const seedBytes = 32;

export class Signer {
  constructor() {
    /** How many messages it has signed. */
    this.signed = 0;
    this.seed = new Uint8Array(seedBytes);
    /** @type {import("node:crypto").KeyObject | undefined} */
    this.key = undefined;
  }

  /**
   * @param {Uint8Array} seed
   * @param {Uint8Array} message
   * @returns {Uint8Array}
   */
  sign(seed, message) {
    if (!this.key || this.seed.some((byte, i) => byte !== seed[i])) {
      this.seed = seed.slice();
      this.key = createPrivateKey({ key: new Uint8Array([...head, ...seed]), format: "der", type: "pkcs8" });
    }
    const signature = sign(null, message, this.key);
    this.signed++;
    return signature;
  }
}
