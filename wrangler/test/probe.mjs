/**
 * The Worker with a window: what tests ask about the instance and production
 * does not tell. Only the tests' configuration of workerd names this file.
 */
import gateway from "../build/gateway.wasm";
import { seed } from "../build/seed.mjs";
import { Host } from "../host.mjs";

const host = new Host(gateway, seed);
const booted = host.instance;

/** @type {ExportedHandler<Env>} */
const worker = {
  fetch(request, env) {
    if (new URL(request.url).pathname !== "/.probe") return host.fetch(request, env);
    return Response.json({
      memoryBytes: host.instance.memoryBytes,
      timers: booted.timers + (booted === host.instance ? 0 : host.instance.timers),
      seedBytes: booted.drawn,
      sameInstance: booted === host.instance,
    });
  },
};

export default worker;
