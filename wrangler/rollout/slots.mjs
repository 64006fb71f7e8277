/**
 * What an isolate knows of the switch between the agent's two generations, and
 * what it has seen of them since it last said so. One call to the Switch object
 * brings the one and takes the other.
 */

/** @typedef {"blue" | "green"} Slot */
/** @typedef {{revision: number, serves: Slot, trial?: {user: string, slot: Slot}}} View what the switch says */
/** @typedef {{requests: number, failures: number, times: number[]}} Count times: how many answers came within each of bounds */
/** @typedef {{blue: Count, green: Count}} Counts */

/** The times by which answers are counted, in milliseconds; the last is for all that took longer. */
export const bounds = [5, 10, 20, 35, 50, 75, 100, 150, 200, 350, 500, 750, 1_000, 1_500, 2_000, 3_500, 5_000, 7_500, 10_000, 20_000, 30_000, Infinity];

/** From this age on, what is known is looked at anew beside the request that uses it. */
const freshMs = 2_000;
/** From this age on a request waits for the look: so long does a move of the switch take at most. */
const staleMs = 8_000;

/** @returns {Count} */
export function nothing() {
  return { requests: 0, failures: 0, times: bounds.map(() => 0) };
}

/**
 * @param {Count} to
 * @param {Count} from
 */
export function add(to, from) {
  to.requests += from.requests;
  to.failures += from.failures;
  from.times.forEach((n, i) => (to.times[i] += n));
}

export class Slots {
  constructor() {
    /** @type {View | undefined} */
    this.view = undefined;
    this.looked = 0; // when it was last asked for
    this.learned = 0; // when it last came
    this.counts = { blue: nothing(), green: nothing() };
    this.counted = false;
  }

  /**
   * What the switch says, as of a few seconds ago.
   * @param {Env} env
   * @param {(promise: Promise<unknown>) => void} waitUntil
   * @returns {Promise<View>}
   */
  async now(env, waitUntil) {
    const age = Date.now() - this.learned;
    if (this.view && age < freshMs) return this.view;
    if (this.view && age < staleMs) {
      if (Date.now() - this.looked >= freshMs) waitUntil(this.look(env).catch(() => {}));
      return this.view;
    }
    try {
      await this.look(env);
    } catch (cause) {
      if (!this.view) throw cause;
      console.warn(JSON.stringify({ level: "WARN", msg: "the switch does not answer; what it said last counts", error: String(cause) }));
    }
    return /** @type {View} */ (this.view);
  }

  /**
   * Each caller asks for itself: a promise of one request must not be awaited in
   * another.
   * @param {Env} env
   */
  async look(env) {
    if (!env.SWITCH) throw new Error("the binding SWITCH is missing");
    this.looked = Date.now();
    const { counts } = this;
    const told = this.counted ? counts : undefined;
    this.counts = { blue: nothing(), green: nothing() };
    this.counted = false;
    try {
      this.learn(await env.SWITCH.getByName("agent").look(told));
    } catch (cause) {
      // What was not told is told the next time.
      for (const slot of /** @type {const} */ (["blue", "green"])) add(this.counts[slot], counts[slot]);
      this.counted ||= told !== undefined;
      throw cause;
    }
  }

  /**
   * Takes in what another object was told by the switch.
   * @param {View} view
   */
  learn(view) {
    if (this.view && view.revision < this.view.revision) return;
    this.view = view;
    this.learned = Date.now();
  }

  /**
   * Counts an answer of a slot's agent.
   * @param {Slot} slot
   * @param {boolean} failed
   * @param {number | undefined} ms until its head; nothing where it had to wait for a model
   */
  count(slot, failed, ms) {
    const count = this.counts[slot];
    count.requests++;
    if (failed) count.failures++;
    if (ms !== undefined) count.times[bounds.findIndex((bound) => ms <= bound)]++;
    this.counted = true;
  }
}

/**
 * The bound within which that share of answers came; 0 when there were none.
 * @param {number[]} times
 * @param {number} share
 */
export function percentile(times, share) {
  const all = times.reduce((sum, n) => sum + n, 0);
  if (all === 0) return 0;
  let seen = 0;
  const at = times.findIndex((n) => (seen += n) >= share * all);
  return Math.min(bounds[at], bounds[bounds.length - 2] * 2);
}

/**
 * @param {View} view
 * @param {string} user
 */
export function slotOf(view, user) {
  return view.trial?.user === user ? view.trial.slot : view.serves;
}

/** The one of this isolate. */
export const slots = new Slots();
