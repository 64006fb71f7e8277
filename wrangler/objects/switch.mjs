/**
 * The object that says which of the agent's two generations serves. There is one.
 * Isolates ask it every few seconds while they have something to do, and tell it
 * what they saw; only the operator's endpoint moves it. A move has to be confirmed once
 * the new generation was watched and is well: else the switch rolls back by itself.
 */
import { DurableObject } from "cloudflare:workers";
import { add, nothing, percentile } from "../rollout/slots.mjs";

/** @typedef {import("../rollout/slots.mjs").Slot} Slot */
/** @typedef {import("../rollout/slots.mjs").Count} Count */
/** @typedef {{name: string, image: string, kept?: boolean}} Held what is in a slot; kept when it has served and was confirmed */
/**
 * @typedef {object} State
 * @property {number} revision
 * @property {Slot} serves
 * @property {{to: Slot, at: number}} [back] where it rolls back to, and when, unless the move is confirmed
 * @property {{user: string, slot: Slot}} [trial]
 * @property {{blue?: Held, green?: Held}} held
 */

/** How long counts are kept, and how finely. */
const keptMs = 30 * 60_000;
const pieceMs = 5_000;

/** @type {State} */
const first = { revision: 1, serves: "blue", held: {} };

export class Switch extends DurableObject {
  /**
   * @param {DurableObjectState} ctx
   * @param {Env} env
   */
  constructor(ctx, env) {
    super(ctx, env);
    /** @type {{at: number, blue: Count, green: Count}[]} oldest first; they matter for minutes, so memory will do */
    this.pieces = [];
  }

  /** @returns {State} */
  read() {
    return this.ctx.storage.kv.get("state") ?? first;
  }

  /** @param {Omit<State, "revision">} state */
  #change(state) {
    this.ctx.storage.kv.put("state", { ...state, revision: this.read().revision + 1 });
    return this.read();
  }

  /**
   * @param {import("../rollout/slots.mjs").Counts} [counts] what the caller saw since it last asked
   * @returns {import("../rollout/slots.mjs").View}
   */
  look(counts) {
    if (counts) this.#add(counts);
    const { revision, serves, trial } = this.read();
    return { revision, serves, trial };
  }

  /**
   * Moves the switch. Asking for what serves already changes nothing.
   * @param {Slot} slot
   * @param {number} holdMs how long it stays unless it is confirmed; 0 is for ever
   */
  async serve(slot, holdMs) {
    const { back, ...state } = this.read();
    const from = back?.to ?? state.serves;
    const unsure = holdMs > 0 && from !== slot;
    const next = this.#change({ ...state, serves: slot, ...(unsure && { back: { to: from, at: Date.now() + holdMs } }) });
    if (next.back) await this.ctx.storage.setAlarm(next.back.at);
    console.info(JSON.stringify({ level: "INFO", msg: "the switch moved", slot, from: state.serves }));
    return next;
  }

  /** Confirms what serves: there is no rollback by itself any more. */
  async confirm() {
    const { back, ...state } = this.read();
    await this.ctx.storage.deleteAlarm();
    const held = state.held[state.serves];
    return this.#change({ ...state, held: { ...state.held, ...(held && { [state.serves]: { ...held, kept: true } }) } });
  }

  /** The move was not confirmed in time: rolls back. */
  async alarm() {
    const { back, ...state } = this.read();
    if (!back || Date.now() < back.at) return;
    this.#change({ ...state, serves: back.to });
    console.warn(JSON.stringify({ level: "WARN", msg: "the switch rolled back by itself: the new generation was not confirmed", slot: back.to }));
  }

  /**
   * Sends one user to a slot, whatever serves.
   * @param {{user: string, slot: Slot} | undefined} trial
   */
  try(trial) {
    const { trial: _, ...state } = this.read();
    return this.#change(trial ? { ...state, trial } : state);
  }

  /**
   * Notes what was put into a slot.
   * @param {Slot} slot
   * @param {Held} held
   */
  hold(slot, held) {
    const state = this.read();
    return this.#change({ ...state, held: { ...state.held, [slot]: held } });
  }

  /**
   * What was seen of a slot since a moment.
   * @param {Slot} slot
   * @param {number} since
   */
  figures(slot, since) {
    const sum = nothing();
    for (const piece of this.pieces) if (piece.at >= since - pieceMs) add(sum, piece[slot]);
    return { requests: sum.requests, failures: sum.failures, p95Ms: percentile(sum.times, 0.95) };
  }

  /** @param {import("../rollout/slots.mjs").Counts} counts */
  #add(counts) {
    const at = Math.floor(Date.now() / pieceMs) * pieceMs;
    while (this.pieces.length > 0 && this.pieces[0].at < at - keptMs) this.pieces.shift();
    let last = this.pieces.at(-1);
    if (last?.at !== at) this.pieces.push((last = { at, blue: nothing(), green: nothing() }));
    add(last.blue, counts.blue);
    add(last.green, counts.green);
  }
}
