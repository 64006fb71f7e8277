/**
 * Under which key an address that sends wrong credentials is counted, for what is
 * not decided by the core: as gateway/limit and gateway/access make it.
 */

const periods = { s: 1, m: 60, h: 3600 };
/** RATE_LIMIT_AUTH where it is not set, or cannot be read: the core refuses that elsewhere. */
const usual = { n: 10, per: 60 };

/**
 * @param {Request} request
 * @param {Env} env
 * @returns {import("../edge/message.mjs").LimitQuestion}
 */
export function authQuestion(request, env) {
  return { key: `auth:${addressKey(request.headers.get("cf-connecting-ip") ?? "")}`, class: "auth", ...rate(env.RATE_LIMIT_AUTH) };
}

/** @param {string | undefined} text such as 10/m */
function rate(text) {
  const [, n, unit] = /^\s*(\d{1,9})\s*\/\s*([smh])\s*$/.exec(text ?? "") ?? [];
  return Number(n) > 0 ? { n: Number(n), per: periods[/** @type {"s" | "m" | "h"} */ (unit)] } : usual;
}

/**
 * One IPv6 customer holds a /64, so all of it counts as one.
 * @param {string} text
 */
export function addressKey(text) {
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) return text;
  const plain = hostname(text);
  if (!plain) return "unknown";
  const [head, tail] = plain.split("::");
  const groups = head ? head.split(":") : [];
  const after = tail ? tail.split(":") : [];
  if (tail !== undefined) while (groups.length + after.length < 8) groups.push("0");
  return `${hostname([...groups, ...after].slice(0, 4).join(":") + "::")}/64`;
}

/**
 * An IPv6 address as it is written shortest; empty where the text is none.
 * @param {string} text
 */
function hostname(text) {
  try {
    return text.includes(":") ? new URL(`http://[${text.replace(/%.*$/, "")}]/`).hostname.slice(1, -1) : "";
  } catch {
    return "";
  }
}
