/** Stands in for the rate limit bindings where workerd runs without wrangler: everything is allowed. */
import { WorkerEntrypoint } from "cloudflare:workers";

export default class extends WorkerEntrypoint {
  limit() {
    return { success: true };
  }
}
