/** Finds the facts that the core asks for. */
import { readBody } from "./body.mjs";
import { teamKeys } from "./keys.mjs";

/**
 * Puts the answer to the core's question into facts.
 * @param {import("./message.mjs").Decision} decision
 * @param {Request} request
 * @param {Env} env
 * @param {import("./message.mjs").Facts} facts
 * @returns {Promise<string>} "answered", "no question", or the failure that ends the request
 */
export async function answer(decision, request, env, facts) {
  switch (decision.kind) {
    case "limit": {
      const { question } = decision;
      if (question.class !== "auth") {
        if (!env.USER) return "binding";
        // What is let through goes to the user's agent: where that is comes along.
        const { place, ...taken } = await env.USER.getByName(userOf(question)).take(question);
        facts.limits.push(taken);
        facts.place = place;
        return "answered";
      }
      if (!env.LIMIT_AUTH) return "binding";
      facts.limits.push(await askLimiter(question, env.LIMIT_AUTH));
      return "answered";
    }
    case "body": {
      const chunks = await readBody(request, decision.max);
      if (!chunks) return "too_large";
      facts.body = await new Blob(chunks).text();
      return "answered";
    }
    case "spend":
      if (!env.USER) return "binding";
      facts.spent.push({ key: decision.key, first: await env.USER.getByName(decision.user).spend(decision.key, decision.until) });
      return "answered";
    case "agent":
      if (!env.USER) return "binding";
      facts.agent = await env.USER.getByName(decision.user).agentState(decision.user);
      return "answered";
    case "keys":
      facts.keys = await teamKeys(decision);
      return "answered";
    default:
      return "no question";
  }
}

/**
 * Whose limit it is: the key is the class and the user (gateway/limit).
 * @param {import("./message.mjs").LimitQuestion} question
 */
function userOf(question) {
  return question.key.slice(question.class.length + 1);
}

/**
 * Cloudflare counts for each location and says only yes or no: how much remains
 * is not known, and -1 says so.
 * @param {import("./message.mjs").LimitQuestion} question
 * @param {RateLimit} limiter
 * @returns {Promise<import("./message.mjs").LimitAnswer>}
 */
async function askLimiter(question, limiter) {
  const { success } = await limiter.limit({ key: question.key });
  const periodMs = question.per * 1000;
  return {
    key: question.key,
    allowed: success,
    remaining: success ? -1 : 0,
    resetMs: periodMs,
    retryMs: success ? 0 : periodMs,
  };
}
