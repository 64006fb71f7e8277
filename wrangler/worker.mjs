/** What Cloudflare runs: the gateway, its objects, and the way out of the container. */
import { core } from "./boot.mjs";
import { check } from "./check.mjs";
import { Host } from "./host.mjs";
import { Seen } from "./seen.mjs";

export { Address } from "./address.mjs";
export { AgentBlue, AgentGreen } from "./agent.mjs";
export { Egress } from "./egress.mjs";
export { Switch } from "./switch.mjs";
export { User } from "./user.mjs";
export { Vault } from "./vault.mjs";
export { Watch } from "./watch.mjs";

const host = new Host(core);
const seen = new Seen();

/** @type {ExportedHandler<Env>} */
const worker = {
  fetch: (request, env, ctx) => seen.request(request, env, ctx, (note) => host.fetch(request, env, note)),
  scheduled: (_, env) => check(core, env),
};

export default worker;
