/** Reaches a user's agent: the container behind its object, or a server elsewhere. */

/** What the core calls the container (gateway/host/workers/message.go). */
export const container = "http://agent.internal";

/** The name of the object that all share, where they do. */
const everybody = "everybody";

/** Only the Worker says this to an Agent object. */
export const userHeader = "X-LoongClaw-User";
/** Which of the user's moves brought the request here; an object that was left since sends it on. */
export const moveHeader = "X-LoongClaw-Move";
/** On a request whose answer may be an event stream. */
export const streamHeader = "X-LoongClaw-Stream";
/** What an Agent object says instead of an answer of the agent's. */
export const failHeader = "X-LoongClaw-Fail";

/** @typedef {import("../rollout/slots.mjs").Slot} Slot */
/** @typedef {{slot: Slot, move: number}} Place where a user's agent is, after how many moves */

/**
 * An Agent object, as the others see it.
 * @typedef {object} AgentObject
 * @property {(request: RequestInfo, init?: RequestInit) => Promise<Response>} fetch
 * @property {(user: string) => Promise<boolean>} ready
 * @property {(user: string, move: number, waitMs: number) => Promise<boolean>} leave
 * @property {() => Promise<"asleep" | "starting" | "ready">} state
 * @property {(user: string) => Promise<void>} forget
 */

/**
 * Whether a user shares a container with all others (AGENT_PLACEMENT=single). The
 * rollout's own user never does: it tries out what the others do not meet yet.
 * @param {Env} env
 * @param {string} user
 */
export function shared(env, user) {
  return env.AGENT_PLACEMENT === "single" && user !== env.LOONGCLAW_CANARY?.split(":", 1)[0];
}

/**
 * Whether a container has, or may get, the egress tokens of more than one user: then it
 * could act for one with the other's.
 * @param {Env} env
 * @param {{users: string[], shared?: boolean}} start
 */
export function holdsOthers(env, { users, shared: already }) {
  return Boolean(already) || users.length > 1 || users.some((user) => shared(env, user));
}

/**
 * @param {Env} env
 * @param {Slot} slot
 * @param {string} user
 * @returns {AgentObject}
 */
export function objectOf(env, slot, user) {
  const objects = slot === "blue" ? env.AGENT_BLUE : env.AGENT_GREEN;
  if (!objects) throw new Error("the binding AGENT_BLUE or AGENT_GREEN is missing");
  return /** @type {AgentObject} */ (/** @type {unknown} */ (objects.getByName(shared(env, user) ? everybody : user)));
}

/**
 * @param {Env} env
 * @param {string} agent the address that the core decided
 * @param {string} user
 * @param {boolean} streams whether the answer may be an event stream
 * @param {() => Promise<Place>} find where the user's container is
 * @returns {(target: string, init: RequestInit) => Promise<{answer: Response, failed?: string}>}
 */
export function agentOf(env, agent, user, streams, find) {
  if (agent !== container) return async (target, init) => ({ answer: await fetch(agent + target, init) });
  return async (target, init) => {
    const { slot, move } = await find();
    const headers = new Headers(init.headers);
    headers.set(userHeader, encodeURIComponent(user));
    headers.set(moveHeader, String(move));
    if (streams) headers.set(streamHeader, "1");
    const answer = await objectOf(env, slot, user).fetch(container + target, { ...init, headers });
    return { answer, failed: answer.headers.get(failHeader) ?? undefined };
  };
}
