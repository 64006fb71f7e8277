/** What an agent's container is given. Nothing in it is a secret. */
import { modelVariables, providers } from "../egress/llm.mjs";
import { searchProvider } from "../egress/search.mjs";

/** The agent's variables that the owner sets on the Worker. */
const passed = [
  "LLM_PROVIDER", "LLM_TIMEOUT", "LLM_MAX_TOKENS", "LLM_CONTEXT_TOKENS", "LLM_VISION", "LLM_PRICES", "ANTHROPIC_PROTOCOL", "ANTHROPIC_THINKING", ...modelVariables,
  "TOOLS_AUTO_APPROVE", "WEB_ALLOWED_HOSTS", "WEB_TIMEOUT", "SHELL_TIMEOUT", "MAX_CONCURRENT_RUNS", "LOG_LEVEL", "MCP_TIMEOUT", "MCP_PRIVATE_HOSTS",
  "GOGC", "GOMEMLIMIT",
];

/**
 * @param {Env} env
 * @param {string} publicKey of the passes that count
 * @param {string} instance a name that stays over restarts
 * @returns {Record<string, string>}
 */
export function containerEnv(env, publicKey, instance) {
  /** @type {Record<string, string>} */
  const given = {};
  for (const name of passed) {
    const value = /** @type {Record<string, unknown>} */ (/** @type {unknown} */ (env))[name];
    if (typeof value === "string" && value !== "") given[name] = value;
  }
  // How OpenAI itself wants a request differs from what its imitations want.
  const openai = /** @type {{OPENAI_BASE_URL?: string}} */ (env).OPENAI_BASE_URL;
  if (openai && URL.canParse(openai)) given.OPENAI_BASE_URL = new URL(openai).origin;
  // So does Anthropic; and an address may say that it speaks OpenAI's protocol only.
  const { ANTHROPIC_BASE_URL, ANTHROPIC_API_URL } = /** @type {Record<string, string | undefined>} */ (/** @type {unknown} */ (env));
  const anthropic = (ANTHROPIC_BASE_URL || ANTHROPIC_API_URL || "").trim();
  if (URL.canParse(anthropic)) {
    const { origin, pathname } = new URL(anthropic);
    given.ANTHROPIC_BASE_URL = origin;
    if (/\/chat\/completions\/*$/.test(pathname)) given.ANTHROPIC_PROTOCOL ??= "openai";
  }
  return {
    ...given,
    AGENT_LISTEN_ADDR: "0.0.0.0:8788",
    AGENT_INSTANCE: instance,
    PASS_PUBLIC_KEYS: publicKey,
    // The egress proxy accepts any key: it knows the container by its token.
    STORE: "r2:store",
    R2_ENDPOINT: "http://r2.internal",
    R2_ACCESS_KEY_ID: "door",
    R2_SECRET_ACCESS_KEY: "door",
    LLM_DOOR_URL: "http://llm.internal",
    LLM_DOOR_PROVIDERS: providers(env).join(","),
    WEB_DOOR_URL: "http://web.internal",
    WEB_SEARCH_PROVIDER: searchProvider(env) || "none",
    MCP_DOOR_URL: "http://mcp.internal",
    DOOR_TOKEN_WAIT: "true",
    WORKSPACE_DIR: "/work",
  };
}

/** How long an agent stays awake after its last run or request, unless SLEEP_AFTER says otherwise. */
const sleepMs = 5 * 60_000;

/** @type {Record<string, number>} */
const units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const spans = /(\d+(?:\.\d+)?)(ms|s|m|h)/g;

/**
 * Reads "5m", "1m30s" or a number of milliseconds, as the agent does.
 * @param {string | undefined} text
 * @param {number} otherwise what counts where the text is neither
 */
export function durationMs(text = "", otherwise = sleepMs) {
  const said = text.trim();
  if (/^\d+$/.test(said)) return Math.max(1_000, Number(said));
  if (said === "" || said.replace(spans, "") !== "") return otherwise;
  return Math.max(1_000, [...said.matchAll(spans)].reduce((all, [, n, unit]) => all + Number(n) * units[unit], 0));
}

/**
 * Whether the platform has no container left: max_instances of them run, or it has
 * no place for more.
 * @param {unknown} cause what it said
 */
export function isFull(cause) {
  return /no container instance that can be provided|maximum number of .*instances|max_instances/i.test(String(cause));
}
