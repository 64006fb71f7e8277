/**
 * The object that keeps the key with which this gateway signs passes, session
 * tokens and tickets, so that an owner need not make one, and the authorizations of the
 * instance's servers of tools. There is one vault. Each isolate asks it once for the key,
 * and no client can.
 */
import { SecretsObject } from "./secrets.mjs";

export class Vault extends SecretsObject {
  /**
   * @param {DurableObjectState} ctx
   * @param {Env} env
   */
  constructor(ctx, env) {
    super(ctx, env, "i");
  }

  /**
   * The key as PASS_PRIVATE_KEY has it: an Ed25519 seed in base64. The first call
   * makes it.
   * @returns {string}
   */
  passKey() {
    const { kv } = this.ctx.storage;
    const known = /** @type {string | undefined} */ (kv.get("pass"));
    if (known) return known;
    const made = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32))));
    kv.put("pass", made);
    return made;
  }
}
