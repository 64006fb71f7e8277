/** What the tests of servers of tools share: the Worker's bindings in memory, and servers on this machine. */
import { createServer } from "node:http";
import { registerHooks } from "node:module";

registerHooks({
  resolve: (name, context, next) =>
    name === "cloudflare:workers" ? { url: "data:text/javascript,export class DurableObject { constructor(ctx, env) { this.ctx = ctx; this.env = env; } }", shortCircuit: true } : next(name, context),
});

const { SecretsObject } = await import("../../objects/secrets.mjs");

/** Storage as an object has it. */
function memory() {
  const map = new Map();
  return {
    map,
    get: (key) => structuredClone(map.get(key)),
    put: (key, value) => map.set(key, structuredClone(value)),
    delete: (key) => map.delete(key),
    list: ({ prefix }) => [...map].filter(([key]) => key.startsWith(prefix)).sort(),
  };
}

/** Objects by their names, each made at its first use. */
function objects(env, kind) {
  const all = new Map();
  const getByName = (name) => {
    if (!all.has(name)) all.set(name, new SecretsObject({ storage: { kv: memory() } }, env, kind));
    return all.get(name);
  };
  return { getByName, all };
}

/** A bucket of R2. */
function bucket() {
  const all = new Map();
  const object = (key) => {
    const found = all.get(key);
    return found && { key, size: found.body.length, etag: found.etag, httpEtag: `"${found.etag}"`, text: async () => found.body };
  };
  let n = 0;
  return {
    all,
    get: async (key) => object(key) ?? null,
    set: (key, value) => all.set(key, { body: typeof value === "string" ? value : JSON.stringify(value), etag: `e${++n}` }),
    put: async (key, body, { onlyIf }) => {
      const there = all.get(key);
      const none = onlyIf instanceof Headers && onlyIf.get("if-none-match") === "*";
      if (none ? there : there?.etag !== onlyIf.etagMatches) return null;
      all.set(key, { body: new TextDecoder().decode(body), etag: `e${++n}` });
      return object(key);
    },
  };
}

/** The Worker's bindings. */
export function world(vars = {}) {
  const env = { STORE: bucket(), ...vars };
  env.USER = objects(env, "u");
  env.VAULT = objects(env, "i");
  return env;
}

/** Sets a user's server up, and has the agent take it. */
export async function setUp(object, name, declared) {
  const id = await object.declareServer(name, declared);
  if (id) object.serverDeclared(name, id, true);
  return id;
}

/** A server on this machine; what it was asked, with bodies. */
export async function serve(answer) {
  const seen = [];
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const asked = { method: request.method, url: request.url, headers: request.headers, body: Buffer.concat(chunks).toString() };
    seen.push(asked);
    await answer(asked, response);
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", () => done(undefined)));
  const host = `127.0.0.1:${server.address().port}`;
  return {
    seen,
    host,
    url: `http://${host}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Answers with JSON. */
export function say(response, status, body, headers = {}) {
  response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
}
