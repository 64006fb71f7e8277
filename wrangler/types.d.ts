declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}

// These two are made by build.sh; the types must hold before it has run.
declare module "*/build/seed.mjs" {
  export const seed: Uint8Array;
}
declare module "*/build/wasm_exec.js" {}

/** What is used of it: the types of Node contradict the Workers'. */
declare module "node:crypto" {
  export type KeyObject = object;
  export function createPrivateKey(key: { key: Uint8Array; format: "der"; type: "pkcs8" }): KeyObject;
  export function sign(algorithm: null, data: Uint8Array, key: KeyObject): Uint8Array;
}

/** What wrangler.jsonc binds. Variables and secrets are strings beside these. */
interface Env {
  ASSETS?: Fetcher;
  STORE?: R2Bucket;
  LIMIT_FLOOD?: RateLimit;
  ADDRESS?: DurableObjectNamespace<import("./objects/address.mjs").Address>;
  USER?: DurableObjectNamespace<import("./objects/user.mjs").User>;
  // Through objectOf (agents.mjs), which knows what an Agent object can do.
  AGENT_BLUE?: DurableObjectNamespace;
  AGENT_GREEN?: DurableObjectNamespace;
  SWITCH?: DurableObjectNamespace<import("./objects/switch.mjs").Switch>;
  WATCH?: DurableObjectNamespace<import("./metrics/watch.mjs").Watch>;
  SEEN?: AnalyticsEngineDataset;
  ALERT_WEBHOOK_URL?: string;
  HOUSE_NAME?: string;
  VAULT?: DurableObjectNamespace<import("./objects/vault.mjs").Vault>;
  PASS_PRIVATE_KEY?: string;
  ROLLOUT_KEY?: string;
  LOONGCLAW_CANARY?: string;
  AGENT_URL?: string;
  /** Whether each user has a container of their own ("user", the default), or all share one. */
  AGENT_PLACEMENT?: "user" | "single";
  SLEEP_AFTER?: string;
  RATE_LIMIT_AUTH?: string;
  MCP_TIMEOUT?: string;
  MCP_PRIVATE_HOSTS?: string;
  MAX_OPEN_STREAMS?: string;
  MAX_OPEN_SOCKETS?: string;
}

/** Go's wasm_exec.js. */
declare class Go {
  importObject: { gojs: Record<string, Function> };
  exited: boolean;
  mem: DataView;
  run(instance: WebAssembly.Instance): Promise<void>;
}
