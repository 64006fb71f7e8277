/** What Cloudflare runs. */
import gateway from "./build/gateway.wasm";
import { seed } from "./build/seed.mjs";
import { Host } from "./host.mjs";

// Go boots here, once for each isolate, so that no request pays for it.
const host = new Host(gateway, seed);

/** @type {ExportedHandler<Env>} */
const worker = {
  fetch: (request, env) => host.fetch(request, env),
};

export default worker;
