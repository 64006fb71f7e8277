/** The one core of an isolate, booted before its first request. */
import { env } from "cloudflare:workers";
import gateway from "../build/gateway.wasm";
import { seed } from "../build/seed.mjs";
import { Core } from "./core.mjs";

export const core = new Core(gateway, seed, /** @type {Env} */ (env));
