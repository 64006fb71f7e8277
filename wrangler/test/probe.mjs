/**
 * The Worker with a window: what tests ask about the instance and production
 * does not tell. Only the tests' configuration of workerd names this file.
 */
import { env } from "cloudflare:workers";
import gateway from "../build/gateway.wasm";
import { seed } from "../build/seed.mjs";
import { Host } from "../host.mjs";

const host = new Host(gateway, seed, /** @type {Env} */ (env));
const booted = host.instance;

/** @type {ExportedHandler<Env>} */
const worker = {
  fetch(request, bindings) {
    if (new URL(request.url).pathname !== "/.probe") return host.fetch(request, bindings);
    return Response.json({
      memoryBytes: host.instance.memoryBytes,
      timers: booted.timers + (booted === host.instance ? 0 : host.instance.timers),
      seedBytes: booted.drawn,
      configured: host.configured,
      sameInstance: booted === host.instance,
    });
  },
};

export default worker;
