/**
 * When somebody is called, where there is no Prometheus: judges what was counted and
 * probed, and tells the owner's webhook of each change. The names and borders are
 * those of deploy/monitoring/alerts.rules.yaml.
 */
import { slower } from "./tally.mjs";

/** @typedef {import("./tally.mjs").Tally} Tally */
/** @typedef {{name: string, why: string}} Alert */
/** What is known at one moment. @typedef {{recent: Tally, hour: Tally, configuration: string, store: string}} Findings faults of configuration and store, empty where there is none */
/** @typedef {{name: string, state: "firing" | "resolved", why: string, since: number}} Change */
/** Alerts that fire, by name. @typedef {Record<string, {why: string, since: number}>} States */

const objective = 0.001;
/** An error or four is no outage, however few ask. */
const fewest = 5;
/** Fewer requests have no P95. */
const enough = 20;

/**
 * @param {Findings} f
 * @returns {Alert[]} what fires
 */
export function judge({ recent, hour, configuration, store }) {
  /** @type {Alert[]} */
  const firing = [];
  const burnt = ratio(hour);
  if (burnt > 14.4 * objective && ratio(recent) > 14.4 * objective && hour.errors >= fewest) {
    firing.push({ name: "LoongClawErrorBudgetBurnsFast", why: `${percent(burnt)} of the last hour's ${hour.requests} requests failed` });
  }
  const { all, slow, share } = slower(recent, 0.2);
  if (all >= enough && share > 0.05) {
    firing.push({ name: "LoongClawSlow", why: `${slow} of ${all} requests took over 200 ms, models not counted` });
  }
  if (store) firing.push({ name: "LoongClawStoreFailing", why: store });
  if (configuration) firing.push({ name: "LoongClawConfigurationRefused", why: configuration });
  return firing;
}

/** @param {Tally} tally */
function ratio({ requests, errors }) {
  return requests === 0 ? 0 : errors / requests;
}

/** @param {number} share */
function percent(share) {
  return `${Math.round(share * 1000) / 10} %`;
}

/**
 * What is new against before.
 * @param {States} before
 * @param {Alert[]} firing
 * @param {number} now
 * @returns {{states: States, changes: Change[]}}
 */
export function compare(before, firing, now) {
  /** @type {States} */
  const states = {};
  /** @type {Change[]} */
  const changes = [];
  for (const { name, why } of firing) {
    const since = before[name]?.since ?? now;
    states[name] = { why, since };
    if (!before[name]) changes.push({ name, state: "firing", why, since });
  }
  for (const [name, { why, since }] of Object.entries(before)) {
    if (!states[name]) changes.push({ name, state: "resolved", why, since });
  }
  return { states, changes };
}

/**
 * Tells the webhook. `text` is what Slack and Mattermost show, `content` what
 * Discord does; the rest is for programs.
 * @param {string} url a secret: it is in no log and no error
 * @param {Change[]} changes
 * @param {string} deployment
 * @param {typeof fetch} send
 * @returns {Promise<string>} why it was not told; empty when it was
 */
export async function tell(url, changes, deployment, send = fetch) {
  const text = changes.map(line).join("\n");
  try {
    const answer = await send(url, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ text, content: text, house: deployment, alerts: changes }),
      redirect: "manual",
      signal: AbortSignal.timeout(10_000),
    });
    await answer.body?.cancel();
    return answer.ok ? "" : `the webhook answered with status ${answer.status}`;
  } catch {
    return "the webhook did not answer"; // the cause may hold its address
  }
}

/** @param {Change} change */
function line({ name, state, why }) {
  const runbook = `docs/OPERATIONS.md#${name.toLowerCase()}`;
  return state === "firing" ? `${name}: ${why}. Next: ${runbook}` : `${name} is over (${why})`;
}
