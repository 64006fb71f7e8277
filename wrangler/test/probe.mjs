/**
 * The Worker with a window: what tests ask about the instance and the objects, and
 * production does not tell. Only the tests' configuration of workerd names this file. It
 * has no container; the agent is where AGENT_URL says.
 */
import { core } from "../edge/boot.mjs";
import { Host } from "../edge/host.mjs";
import { User as RealUser } from "../objects/user.mjs";

export { Address } from "../objects/address.mjs";
export { Vault } from "../objects/vault.mjs";

const host = new Host(core);
const booted = core.instance;

/** What was asked of users' objects, and what they wrote: here all are in one isolate. */
const users = { calls: 0, rows: 0 };

/** The user's object, and a count of what it writes. */
export class User extends RealUser {
  /**
   * @param {DurableObjectState} ctx
   * @param {Env} env
   */
  constructor(ctx, env) {
    super(ctx, env);
    const { kv } = ctx.storage;
    const put = kv.put.bind(kv);
    kv.put = (/** @type {string} */ key, /** @type {unknown} */ value) => {
      users.rows++;
      put(key, value);
    };
    if (ctx.storage.kv.put !== kv.put) throw new Error("what the object writes is not counted");
  }
}

/**
 * The same bindings, with a count of what is asked of users' objects.
 * @param {Env} env
 * @returns {Env}
 */
function counted(env) {
  const { USER } = env;
  if (!USER) return env;
  const stubs = { getByName: (/** @type {string} */ name) => new Proxy(USER.getByName(name), { get: (stub, method) => calling(stub, method) }) };
  return { ...env, USER: /** @type {typeof USER} */ (/** @type {unknown} */ (stubs)) };
}

/**
 * @param {any} stub
 * @param {string | symbol} method
 */
function calling(stub, method) {
  return (/** @type {unknown[]} */ ...args) => {
    users.calls++;
    return stub[method](...args);
  };
}

/** @type {ExportedHandler<Env>} */
const worker = {
  fetch(request, bindings) {
    if (new URL(request.url).pathname !== "/.probe") return host.fetch(request, counted(bindings), { route: "", stream: false });
    return Response.json({
      memoryBytes: core.instance.memoryBytes,
      timers: booted.timers + (booted === core.instance ? 0 : core.instance.timers),
      seedBytes: booted.drawn,
      configured: core.configured,
      sameInstance: booted === core.instance,
      signed: core.instance.signer.signed,
      userCalls: users.calls,
      userRows: users.rows,
    });
  },
};

export default worker;
