/** The scheduled check: probes what can be probed without waking a container. */
import { compare, judge, tell } from "./alerts.mjs";

const attempts = 2;

/**
 * The one Watch object of a deployment. Its name is where its state is, and stays.
 * @param {NonNullable<Env["WATCH"]>} objects
 */
export function watchOf(objects) {
  return objects.getByName("house");
}

/**
 * @param {import("../edge/core.mjs").Core} core
 * @param {Env} env
 * @param {number} now
 */
export async function check(core, env, now = Date.now()) {
  if (!env.WATCH) return;
  const watch = watchOf(env.WATCH);
  const [configuration, store, counted] = await Promise.all([refusal(core, env), storeFault(env.STORE), watch.counted(now)]);
  const { states, changes } = compare(counted.states, judge({ ...counted, configuration, store }), now);
  log("INFO", "check", { requests: counted.recent.requests, errors: counted.recent.errors, firing: Object.keys(states) });
  if (changes.length === 0) return watch.keep(states);
  for (const { name, state, why } of changes) log("WARN", "alert", { alert: name, state, why });
  const untold = env.ALERT_WEBHOOK_URL ? await tell(env.ALERT_WEBHOOK_URL, changes, env.HOUSE_NAME ?? "loongclaw") : "";
  // A change that could not be told is new again at the next check.
  if (untold) log("ERROR", untold, {});
  else await watch.keep(states);
}

/**
 * Why the core refuses its configuration. It names variables and never their values.
 * @param {import("../edge/core.mjs").Core} core
 * @param {Env} env
 */
async function refusal(core, env) {
  try {
    await core.open(env);
    const decision = core.decide(new Request("http://deployment.internal/health"), { requestId: "check", limits: [], spent: [] });
    if (decision.kind === "respond" && decision.status === 200) return "";
    return decision.kind === "respond" ? String(JSON.parse(decision.body).error) : "the core does not answer /health";
  } catch {
    return "the core does not start; the log says why";
  }
}

/**
 * Whether the store answers. The object need not be there.
 * @param {R2Bucket | undefined} store
 */
async function storeFault(store) {
  if (!store) return "the binding STORE is missing";
  for (let tried = 1; ; tried++) {
    try {
      await store.head("config/SOUL.md");
      return "";
    } catch {
      if (tried === attempts) return "the store does not answer";
    }
  }
}

/**
 * @param {string} level
 * @param {string} msg
 * @param {Record<string, unknown>} more
 */
function log(level, msg, more) {
  console[level === "INFO" ? "log" : "warn"](JSON.stringify({ level, msg, ...more }));
}
