/** What Cloudflare runs: the gateway, its objects, and the way out of the container. */
import { core } from "./boot.mjs";
import { Host } from "./host.mjs";

export { Address } from "./address.mjs";
export { AgentBlue, AgentGreen } from "./agent.mjs";
export { Egress } from "./egress.mjs";
export { Switch } from "./switch.mjs";
export { User } from "./user.mjs";
export { Vault } from "./vault.mjs";

const host = new Host(core);

/** @type {ExportedHandler<Env>} */
const worker = {
  fetch: (request, env) => host.fetch(request, env),
};

export default worker;
