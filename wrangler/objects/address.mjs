/**
 * The object of one address that sent wrong credentials: counts them, and knows
 * until when the address is locked. An hour after the last lock it is empty again.
 */
import { DurableObject } from "cloudflare:workers";
import { strike } from "../limits/lockout.mjs";

export class Address extends DurableObject {
  /**
   * Notes one more wrong credential.
   * @param {import("../edge/message.mjs").LimitQuestion} question
   * @returns {Promise<import("../edge/message.mjs").LimitAnswer>}
   */
  async strike(question) {
    const { kv } = this.ctx.storage;
    const known = /** @type {import("../limits/lockout.mjs").Strikes | undefined} */ (kv.get("strikes"));
    const { strikes, forget, answer } = strike(known, question, Date.now());
    if (answer.allowed || !known || known.lock !== strikes.lock) {
      kv.put("strikes", strikes);
      await this.ctx.storage.setAlarm(forget);
    }
    return { key: question.key, ...answer };
  }

  /** Nothing of it counts any more. */
  async alarm() {
    await this.ctx.storage.deleteAll();
  }
}
