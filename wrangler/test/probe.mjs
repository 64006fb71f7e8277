/**
 * The Worker with a window: what tests ask about the instance and production
 * does not tell. Only the tests' configuration of workerd names this file. It has
 * no container; the agent is where AGENT_URL says.
 */
import { core } from "../edge/boot.mjs";
import { Host } from "../edge/host.mjs";

export { Address } from "../objects/address.mjs";
export { User } from "../objects/user.mjs";
export { Vault } from "../objects/vault.mjs";

const host = new Host(core);
const booted = core.instance;

/** @type {ExportedHandler<Env>} */
const worker = {
  fetch(request, bindings) {
    if (new URL(request.url).pathname !== "/.probe") return host.fetch(request, bindings, { route: "", stream: false });
    return Response.json({
      memoryBytes: core.instance.memoryBytes,
      timers: booted.timers + (booted === core.instance ? 0 : core.instance.timers),
      seedBytes: booted.drawn,
      configured: core.configured,
      sameInstance: booted === core.instance,
    });
  },
};

export default worker;
