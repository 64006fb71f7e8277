/**
 * The one object that knows how the deployment is: it adds up what the isolates counted,
 * for an hour, and keeps which alerts fire. A busy isolate writes to it every twenty
 * seconds, an idle deployment only at its checks.
 */
import { DurableObject } from "cloudflare:workers";
import { emptyTally, merge } from "./tally.mjs";

/** @typedef {import("./tally.mjs").Tally} Tally */
/** @typedef {Record<string, Tally>} Minutes by number of the minute */

const minuteMs = 60_000;
const recentMinutes = 10;
const hourMinutes = 60;

export class Watch extends DurableObject {
  /** @param {Tally} tally */
  add(tally) {
    const now = Math.floor(Date.now() / minuteMs);
    const kept = young(this.#minutes, now);
    kept[now] = merge(kept[now] ?? emptyTally(), tally);
    this.ctx.storage.kv.put("minutes", kept);
  }

  /**
   * @param {number} nowMs
   * @returns {{recent: Tally, hour: Tally, states: import("./alerts.mjs").States}}
   */
  counted(nowMs) {
    const now = Math.floor(nowMs / minuteMs);
    return { ...sums(this.#minutes, now), states: this.ctx.storage.kv.get("states") ?? {} };
  }

  /** @param {import("./alerts.mjs").States} states */
  keep(states) {
    const kept = this.ctx.storage.kv.get("states") ?? {};
    // A check that finds what the last one found writes nothing.
    if (JSON.stringify(Object.keys(kept)) !== JSON.stringify(Object.keys(states))) this.ctx.storage.kv.put("states", states);
  }

  /** @returns {Minutes} */
  get #minutes() {
    return this.ctx.storage.kv.get("minutes") ?? {};
  }
}

/**
 * @param {Minutes} minutes
 * @param {number} now
 * @returns {Minutes}
 */
function young(minutes, now) {
  return Object.fromEntries(Object.entries(minutes).filter(([minute]) => now - Number(minute) < hourMinutes));
}

/**
 * @param {Minutes} minutes
 * @param {number} now
 */
function sums(minutes, now) {
  const hour = emptyTally();
  const recent = emptyTally();
  for (const [minute, tally] of Object.entries(young(minutes, now))) {
    merge(hour, tally);
    if (now - Number(minute) < recentMinutes) merge(recent, tally);
  }
  return { hour, recent };
}
