/** Finds the facts that the core asks for. */
import { readBody } from "./body.mjs";
import { teamKeys } from "./keys.mjs";

/** @type {Record<string, "LIMIT_CHAT" | "LIMIT_API" | "LIMIT_AUTH">} */
const limiters = { chat: "LIMIT_CHAT", api: "LIMIT_API", auth: "LIMIT_AUTH" };

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
      const limiter = env[limiters[decision.question.class]];
      if (!limiter) return "binding";
      facts.limits.push(await askLimiter(decision.question, limiter));
      return "answered";
    }
    case "body": {
      const chunks = await readBody(request, decision.max);
      if (!chunks) return "too_large";
      facts.body = await new Blob(chunks).text();
      return "answered";
    }
    case "spend":
      // A Worker remembers nothing beyond its isolate: that is the user's object's.
      facts.spent.push({ key: decision.key, first: false });
      return "answered";
    case "keys":
      facts.keys = await teamKeys(decision);
      return "answered";
    default:
      return "no question";
  }
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
