/** The users whom an Agent object tells how its container starts and what runs, through their own objects. */

/** @typedef {import("../objects/user.mjs").Phase} Phase */

export class Listeners {
  /**
   * @param {DurableObjectState} ctx
   * @param {Env} env
   */
  constructor(ctx, env) {
    this.ctx = ctx;
    this.env = env;
    /** @type {Set<string>} who is told of a start: those who wait for it, and no user who is still elsewhere */
    this.waiting = new Set();
    /** @type {Set<string>} for whom it was woken, and who has not asked anything of it yet */
    this.fresh = new Set();
  }

  /**
   * Adds a user who waits for the container.
   * @param {string} user
   */
  add(user) {
    this.waiting.add(user);
  }

  /**
   * Tells those who wait which phase a start has reached.
   * @param {Phase} phase
   */
  announce(phase) {
    if (phase === "ready") this.fresh = this.waiting;
    for (const user of this.waiting) this.#tell(user, phase);
  }

  /** The start is over, however it ended: no user waits any more. */
  clear() {
    this.waiting = new Set();
  }

  /**
   * A user has asked for something, and something may have begun.
   * @param {string} user
   */
  acted(user) {
    if (this.fresh.delete(user)) this.#tell(user, "thinking"); // what the container was woken for
    this.ctx.waitUntil(this.wake([user]));
  }

  /**
   * Something of these users' may run: what follows it continues.
   * @param {string[]} users
   */
  async wake(users) {
    // An object that does not answer is told the next time; the others must not wait for it.
    await Promise.allSettled(users.map((user) => this.env.USER?.getByName(user).wake()));
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
