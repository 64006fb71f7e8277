/** Finds the facts that the core asks for. */
import { again } from "./again.mjs";
import { readText } from "./body.mjs";
import { accessKeys } from "./access-keys.mjs";
import { Leases } from "../limits/lease.mjs";
import { Locks } from "../limits/lockout.mjs";

/** The locks of addresses that this isolate knows. */
const locks = new Locks(10_000);

/** The shares of users' limits that this isolate holds. @type {Leases<import("../objects/agents.mjs").Place>} */
const leases = new Leases(10_000);

/**
 * What one request may take of shares. It is noted among its facts, so that the same
 * request is counted once however often it is decided about.
 * @param {import("./message.mjs").Facts} facts
 * @returns {import("./instance.mjs").Lend}
 */
export function lender(facts) {
  return (key) => {
    const taken = leases.take(key, Date.now());
    if (!taken) return undefined;
    const { place, ...answer } = taken;
    facts.limits.push(answer);
    facts.place = place;
    return answer;
  };
}

/**
 * Asks a user's object for one more. What is let through goes to the user's agent: where
 * that is comes along.
 * @param {import("./message.mjs").LimitQuestion} question
 * @param {NonNullable<Env["USER"]>} users
 * @param {import("./message.mjs").LimitAnswer[]} limits
 */
async function take(question, users, limits) {
  const { key } = question;
  // The object learns what became of the last share.
  const asker = question.onlyReads ? leases.end(key) : undefined;
  const asked = Date.now();
  // To count one too many does no harm.
  const { place, ...answer } = await again(() => users.getByName(holder(question)).take(question, asker));
  leases.hold(key, answer, asked, place);
  limits.push(answer);
  return place;
}

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
      if (question.class === "auth") {
        if (!env.ADDRESS) return "binding";
        facts.limits.push(await strike(question, env.ADDRESS));
        return "answered";
      }
      if (!env.USER) return "binding";
      facts.place = await take(question, env.USER, facts.limits);
      return "answered";
    }
    case "body": {
      const text = await readText(request, decision.max);
      if (text === null) return "body";
      if (text === undefined) return "too_large";
      facts.body = text;
      return "answered";
    }
    case "spend":
      if (!env.USER) return "binding";
      facts.spent.push({ key: decision.key, first: await env.USER.getByName(decision.user).spend(decision.key, decision.until) });
      return "answered";
    case "agent":
      if (!env.USER) return "binding";
      facts.agent = await stateOf(env.USER, decision.user);
      return "answered";
    case "keys":
      facts.keys = await accessKeys(decision);
      return "answered";
    default:
      return "no question";
  }
}

const questions = ["limit", "body", "spend", "agent", "keys"];

/**
 * Whether a decision asks for something first.
 * @param {import("./message.mjs").Decision} decision
 */
export function isQuestion({ kind }) {
  return questions.includes(kind);
}

/**
 * Whose limit it is, a user's or an address's: the key is the class and that name
 * (gateway/limit).
 * @param {import("./message.mjs").LimitQuestion} question
 */
function holder(question) {
  return question.key.slice(question.class.length + 1);
}

/**
 * @param {NonNullable<Env["USER"]>} users
 * @param {string} user
 */
function stateOf(users, user) {
  return again(() => users.getByName(user).agentState(user));
}

/**
 * Notes a wrong credential of an address.
 * @param {import("./message.mjs").LimitQuestion} question
 * @param {NonNullable<Env["ADDRESS"]>} addresses
 * @returns {Promise<import("./message.mjs").LimitAnswer>}
 */
export async function strike(question, addresses) {
  const known = locks.find(question.key, Date.now());
  if (known) return { key: question.key, ...known };
  const answer = await again(() => addresses.getByName(holder(question)).strike(question));
  locks.note(question.key, answer, Date.now());
  return answer;
}
