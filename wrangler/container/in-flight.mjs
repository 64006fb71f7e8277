/** The requests of users at an Agent object: of one user, or of all where they share a container. */

export class InFlight {
  /** @param {SyncKvStorage} kv where it stands who left */
  constructor(kv) {
    this.kv = kv;
    /** @type {Map<string, number>} requests that wait for the head of their answer, by user */
    this.open = new Map();
    /** @type {Map<string, Promise<boolean>>} who is about to leave for the other generation */
    this.leaving = new Map();
  }

  /**
   * Counts a request of a user's in. What it gives counts it out.
   * @param {string} user
   */
  enter(user) {
    this.open.set(user, this.of(user) + 1);
    return () => {
      const n = this.of(user) - 1;
      if (n > 0) this.open.set(user, n);
      else this.open.delete(user);
    };
  }

  /** @param {string} user */
  of(user) {
    return this.open.get(user) ?? 0;
  }

  /** Whether no request waits for an answer. */
  get none() {
    return this.open.size === 0;
  }

  /**
   * The number of the move with which a user left; requests of earlier ones are sent on.
   * @param {string} user
   */
  left(user) {
    return Number(this.kv.get(`left ${user}`) ?? 0);
  }

  /**
   * @param {string} user
   * @param {number} move
   */
  leave(user, move) {
    this.kv.put(`left ${user}`, move);
  }

  /** @param {string} user */
  forget(user) {
    this.kv.delete(`left ${user}`);
  }
}
