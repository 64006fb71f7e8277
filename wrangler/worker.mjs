/** What Cloudflare runs. */
import { env } from "cloudflare:workers";
import gateway from "./build/gateway.wasm";
import { seed } from "./build/seed.mjs";
import { Host } from "./host.mjs";

// Go boots here, once for each isolate, so that no request pays for it.
const host = new Host(gateway, seed, /** @type {Env} */ (env));

/** @type {ExportedHandler<Env>} */
const worker = {
  fetch: (request, bindings) => host.fetch(request, bindings),
};

export default worker;
