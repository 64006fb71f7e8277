/** Reaches a user's agent: the container behind its object, or a server elsewhere. */

/** What the core calls the container (gateway/host/workers/message.go). */
const container = "http://agent.internal";

/** Only the Worker says this to an Agent object. */
export const userHeader = "X-LoongClaw-User";
/** What an Agent object says instead of an answer of the agent's. */
export const failHeader = "X-LoongClaw-Fail";

/**
 * @param {Env} env
 * @param {string} agent the address that the core decided
 * @param {string} user
 * @returns {(target: string, init: RequestInit) => Promise<{answer: Response, failed?: string}>}
 */
export function agentOf(env, agent, user) {
  if (agent !== container) return async (target, init) => ({ answer: await fetch(agent + target, init) });
  const { AGENT } = env;
  if (!AGENT) throw new Error("the binding AGENT is missing");
  return async (target, init) => {
    const headers = new Headers(init.headers);
    headers.set(userHeader, encodeURIComponent(user));
    const answer = await AGENT.getByName(user).fetch(container + target, { ...init, headers });
    return { answer, failed: answer.headers.get(failHeader) ?? undefined };
  };
}
