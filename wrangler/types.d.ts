declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}

/** What wrangler.jsonc binds. Variables and secrets are strings beside these. */
interface Env {
  ASSETS?: Fetcher;
  LIMIT_CHAT?: RateLimit;
  LIMIT_API?: RateLimit;
  LIMIT_AUTH?: RateLimit;
}

/** Go's wasm_exec.js. */
declare class Go {
  importObject: { gojs: Record<string, Function> };
  exited: boolean;
  mem: DataView;
  run(instance: WebAssembly.Instance): Promise<void>;
}

/** The function that gateway/host/workers hands over while it boots. */
declare var loongclawCall: ((message: string) => string) | undefined;
