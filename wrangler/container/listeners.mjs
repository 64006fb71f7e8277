/** Whom an Agent object tells what becomes of their container, through their own objects. */

/** @typedef {import("../objects/user.mjs").Phase} Phase */

export class Listeners {
  /**
   * @param {DurableObjectState} ctx
   * @param {Env} env
   */
  constructor(ctx, env) {
    this.ctx = ctx;
    this.env = env;
    /** @type {Set<string>} whom a start is told to; a user who is still elsewhere hears nothing of it */
    this.waiting = new Set();
    /** @type {Set<string>} for whom it was woken, and who has not asked anything of it yet */
    this.fresh = new Set();
  }

  /**
   * Somebody waits for the container.
   * @param {string} user
   */
  expects(user) {
    this.waiting.add(user);
  }

  /**
   * A start has come so far.
   * @param {Phase} phase
   */
  hears(phase) {
    if (phase === "ready") this.fresh = this.waiting;
    for (const user of this.waiting) this.#tell(user, phase);
  }

  /** The start is over, however it ended. */
  disperses() {
    this.waiting = new Set();
  }

  /**
   * A user has asked for something, and something may have begun.
   * @param {string} user
   */
  acted(user) {
    if (this.fresh.delete(user)) this.#tell(user, "thinking"); // what the container was woken for
    this.ctx.waitUntil(this.stir([user]));
  }

  /**
   * Something of theirs may run: their sockets follow it.
   * @param {string[]} users
   */
  async stir(users) {
    // Who cannot be told hears of it at the next time; the others must not wait for that.
    await Promise.allSettled(users.map((user) => this.env.USER?.getByName(user).stirred()));
  }

  /**
   * @param {string} user
   * @param {Phase} phase
   */
  #tell(user, phase) {
    const told = this.env.USER?.getByName(user).phase(phase) ?? Promise.resolve();
    this.ctx.waitUntil(told.catch(() => {}));
  }
}
