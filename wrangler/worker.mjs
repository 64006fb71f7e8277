/** What Cloudflare runs: the gateway, its objects, and the egress proxy of the containers. */
import { core } from "./edge/boot.mjs";
import { check } from "./metrics/check.mjs";
import { Host } from "./edge/host.mjs";
import { Metrics } from "./metrics/metrics.mjs";

export { Address } from "./objects/address.mjs";
export { AgentBlue, AgentGreen } from "./objects/agent.mjs";
export { Egress } from "./egress/egress.mjs";
export { Switch } from "./objects/switch.mjs";
export { User } from "./objects/user.mjs";
export { Vault } from "./objects/vault.mjs";
export { Watch } from "./metrics/watch.mjs";

const host = new Host(core);
const seen = new Metrics();

/** @type {ExportedHandler<Env>} */
const worker = {
  fetch: (request, env, ctx) => seen.request(request, env, ctx, (note) => host.fetch(request, env, note)),
  scheduled: (_, env) => check(core, env),
};

export default worker;
