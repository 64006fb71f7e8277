import assert from "node:assert/strict";
import { after, test } from "node:test";
import { say, serve, setUp, world } from "./lib/mcp.mjs";
import { isServers, servers, splitEntry } from "../edge/servers.mjs";
import { allowed, hidden } from "../egress/keys.mjs";
import { pin, pinned, mayWrite } from "../egress/pins.mjs";
import { identityOf } from "../mcp/entry.mjs";
import { instanceOf, parse, resolve, told } from "../mcp/instance.mjs";

const ends = [];
after(() => ends.forEach((end) => end()));

const container = "http://agent.internal";
const secret = "canary-of-a-header";

/** What the gateway decided about a request. */
function decision(method, route, more = {}) {
  return { kind: "forward", requestId: "r1", route, header: [["X-Core", "1"]], agent: container, user: "alice", method, target: "/x", maxBody: 65536, stream: false, pausable: false, admin: false, set: [["X-LoongClaw-Public-Url", "https://gate.example.org"]], drop: [], ...more };
}

/** Asks this side; what reached the agent is in `agent`. */
async function ask(env, method, path, body, { route = "/api/mcp/:name", answer = () => new Response("{}"), accept = "*/*", ...more } = {}) {
  const agent = [];
  const request = new Request(`https://gate.example.org${path}`, { method, body, headers: { "content-type": "application/json", "content-length": "7", accept } });
  const next = async (asked, so) => {
    agent.push({ body: await asked.text(), target: so.target, length: asked.headers.get("content-length") });
    return answer(agent);
  };
  const got = await servers(decision(method, route, more), request, env, (kind) => new Response(kind, { status: 413 }), next);
  return { got, agent, error: got.status >= 400 ? await got.clone().json().catch(() => undefined) : undefined };
}

test("the secret half of a server stays here, and the agent is asked about the rest", async () => {
  const env = world();
  const { got, agent } = await ask(env, "PUT", "/api/mcp/mine", JSON.stringify({ URL: "https://tools.example.org/mcp", Headers: { Authorization: `Bearer ${secret}` }, note: secret, toString: secret }));
  assert.deepEqual([got.status, agent.length, agent[0].body, agent[0].length], [200, 1, '{"url":"https://tools.example.org/mcp"}', null]);
  assert.deepEqual(env.USER.getByName("alice").server("mine"), { url: "https://tools.example.org/mcp", headers: { Authorization: `Bearer ${secret}` } });
  assert.deepEqual([...env.USER.all.keys()], ["alice"]);
});

test("no body reaches the agent with anything secret in it, whatever form it has", async () => {
  const bodies = [
    `{"url":"https://tools.example.org/mcp","headers":{"Authorization":"Bearer ${secret}"},}`, `{"url":"https://tools.example.org/mcp","headers":{"A":"${secret}"}`, `"${secret}"`, `["${secret}"]`, secret, "", "null", `{"url":"${secret}"}`,
    `{"url":"https://tools.example.org/mcp","headers":{"A":"1"},"HEADERS":{"A":"${secret}"}}`, `{"url":"https://tools.example.org/mcp","headers":["${secret}"]}`, `{"url":"https://tools.example.org/mcp","headers":"${secret}"}`,
    `{"url":"https://tools.example.org/mcp","headers":{"Host":"${secret}"}}`, `{"url":"https://tools.example.org/mcp","headers":{"Mcp-Session-Id":"${secret}"}}`, `{"url":"https://tools.example.org/mcp","headers":{"A":"${secret}\\r\\nB: c"}}`,
    `{"url":"https://tools.example.org/mcp","headers":{"A":"${secret}","a":"2"}}`, `{"url":"https://tools.example.org/mcp","headers":{"A":{"b":"${secret}"}}}`, `{"url":"https://user:${secret}@tools.example.org/mcp"}`, `{"url":"http://tools.example.org/mcp","headers":{"A":"${secret}"}}`,
    `{"url":"https://169.254.169.254/","headers":{"A":"${secret}"}}`, `{"url":["https://tools.example.org/"],"headers":{"A":"${secret}"}}`, JSON.stringify({ url: "https://tools.example.org/mcp", headers: Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`A${i}`, secret])) }),
  ];
  for (const body of bodies) {
    const env = world();
    const { got, agent, error } = await ask(env, "PUT", "/api/mcp/mine", body);
    assert.deepEqual([got.status, agent.length, got.headers.get("x-core")], [400, 0, "1"], body);
    assert.ok(error.error && error.hint && error.requestId === "r1" && !JSON.stringify(error).includes(secret), body);
    assert.equal(env.USER.getByName("alice").server("mine"), undefined);
  }
  for (const name of ["Mine", "a".repeat(33), "%2e%2e", "a%2fb"]) assert.equal((await ask(world(), "PUT", `/api/mcp/${name}`, "{}")).got.status, 400, name);
  assert.equal((await ask(world(), "PUT", "/api/mcp/mine", "x".repeat(70000))).got.status, 413);
});

test("what is the owner's is refused by the agent, which sees nothing of it", async () => {
  for (const more of [{ command: "sh" }, { Command: secret }, { args: [secret] }, { env: { A: secret } }, { cwd: secret }, { allow: [secret] }, { oauth: { clientId: "x", clientSecret: secret } }]) {
    const env = world();
    const { agent } = await ask(env, "PUT", "/api/mcp/mine", JSON.stringify({ url: "https://tools.example.org/mcp", headers: { A: secret }, ...more }));
    assert.deepEqual(agent.map(({ body }) => body), ['{"command":"not shown"}']);
    assert.equal(env.USER.getByName("alice").server("mine"), undefined);
  }
  assert.ok(splitEntry('{"url":"https://tools.example.org/","headers":{"CF-Access-Client-Secret":"x"}}', new Set()).declared);
  assert.deepEqual(splitEntry('{"url":"https://tools.example.org/","command":"","args":[],"env":null,"headers":null}', new Set()).shown, { url: "https://tools.example.org/" });
});

test("what the agent does not take does not count", async () => {
  const env = world();
  const user = env.USER.getByName("alice");
  const put = (url, key, status) => ask(env, "PUT", "/api/mcp/mine", JSON.stringify({ url, headers: { "X-Key": key } }), { answer: () => new Response("{}", { status }) });
  await put("https://one.example.org/", "canary-one", 409);
  assert.equal(user.server("mine"), undefined);
  await put("https://one.example.org/", "canary-one", 200);
  await put("https://two.example.org/", "canary-two", 400);
  assert.deepEqual(user.server("mine"), { url: "https://one.example.org/", headers: { "X-Key": "canary-one" } });
  await put("https://two.example.org/", "canary-two", 503); // nobody knows: what was meant counts
  assert.deepEqual(user.server("mine"), { url: "https://two.example.org/", headers: { "X-Key": "canary-two" } });
  assert.ok(!JSON.stringify([...user.ctx.storage.kv.map.values()]).includes("canary-one"), "what was before is still kept");
  for (let i = 0; i < 70; i++) await setUp(user, `s${i}`, { url: "https://one.example.org/", headers: {} });
  assert.equal((await ask(env, "PUT", "/api/mcp/one-more", '{"url":"https://one.example.org/"}')).got.status, 400);
});

test("changes of one server that cross: what the agent took counts, and it hears of them in their order", async () => {
  const entry = (key) => JSON.stringify({ url: `https://${key}.example.org/`, headers: { "X-Key": key } });
  // Whoever of a and b is answered first: the agent refuses some of them.
  for (const [refused, want] of [["", "b"], ["a", "b"], ["b", "a"], ["ab", "first"]]) {
    const env = world();
    const user = env.USER.getByName("alice");
    await ask(env, "PUT", "/api/mcp/mine", entry("first"));
    const order = [];
    const put = (key, ms) =>
      ask(env, "PUT", "/api/mcp/mine", entry(key), {
        answer: async () => {
          order.push(`${key} asked`);
          await new Promise((done) => setTimeout(done, ms));
          order.push(`${key} answered`);
          return new Response("{}", { status: refused.includes(key) ? 409 : 200 });
        },
      });
    await Promise.all([put("a", 30), put("b", 1)]);
    assert.deepEqual(order, ["a asked", "a answered", "b asked", "b answered"], refused);
    assert.equal(user.server("mine").headers["X-Key"], want, `${refused} refused`);
    const kept = JSON.stringify([...user.ctx.storage.kv.map.values()]);
    for (const key of ["first", "a", "b"]) assert.equal(kept.includes(`"${key}"`), key === want, `${refused} refused: ${kept}`);
  }
});

test("an agent that does not answer holds no later change up for ever, and late refusals take back their own only", async () => {
  const all = ["a", "b", "c"];
  const orders = [["a", "b", "c"], ["a", "c", "b"], ["b", "a", "c"], ["b", "c", "a"], ["c", "a", "b"], ["c", "b", "a"]];
  for (const order of orders) {
    for (let taken = 0; taken < 8; taken++) {
      const user = world().USER.getByName("alice");
      user.servers.turnMs = 1;
      await setUp(user, "mine", { url: "https://first.example.org/", headers: {} });
      const ids = {};
      for (const key of all) ids[key] = await user.declareServer("mine", { url: `https://${key}.example.org/`, headers: {} });
      const took = all.filter((_, i) => taken & (1 << i));
      for (const key of order) user.serverDeclared("mine", ids[key], took.includes(key));
      assert.equal(user.server("mine").url, `https://${took.at(-1) ?? "first"}.example.org/`, `${took} taken, answered as ${order}`);
      assert.equal(user.servers.turns.size, 0);
    }
  }
  // Removed and set up again in between: what was asked before takes nothing back.
  const user = world().USER.getByName("alice");
  user.servers.turnMs = 1;
  const ids = [];
  for (const key of ["a", "b"]) ids.push(await user.declareServer("mine", { url: `https://${key}.example.org/`, headers: {} }));
  user.serverRemoved("mine", await user.removeServer("mine"));
  await setUp(user, "mine", { url: "https://new.example.org/", headers: {} });
  for (const id of ids) user.serverDeclared("mine", id, id === ids[0]);
  assert.equal(user.server("mine").url, "https://new.example.org/");
  // A row of the form before this one.
  user.ctx.storage.kv.put("server old", { url: "https://old.example.org/", headers: { A: "1" }, version: 3, before: { url: "https://older.example.org/", headers: {}, version: 2 } });
  assert.deepEqual(user.server("old"), { url: "https://old.example.org/", headers: { A: "1" } });
  user.serverDeclared("old", await user.declareServer("old", { url: "https://refused.example.org/", headers: {} }), false);
  assert.deepEqual(user.server("old"), { url: "https://old.example.org/", headers: { A: "1" } });
});

test("a change that nobody ended is waited for once, and not by every later one", async () => {
  const user = world().USER.getByName("alice");
  user.servers.turnMs = 10;
  await user.declareServer("mine", { url: "https://left.example.org/", headers: {} }); // whoever asked went away
  await setUp(user, "mine", { url: "https://next.example.org/", headers: {} });
  assert.equal(user.servers.turns.size, 0, "the next one would wait for it again");
  assert.equal(user.server("mine").url, "https://next.example.org/");
});

test("a server that is removed while it is set up is gone for the agent, too", async () => {
  const env = world();
  const order = [];
  const slow = (what) => async () => {
    order.push(`${what} asked`);
    await new Promise((done) => setTimeout(done, 20));
    order.push(`${what} answered`);
    return new Response("{}");
  };
  const removed = Promise.withResolvers();
  const put = async () => {
    removed.resolve(ask(env, "DELETE", "/api/mcp/mine", undefined, { answer: slow("delete") }));
    assert.equal(env.USER.getByName("alice").server("mine"), undefined, "what is secret is gone at once");
    return slow("put")();
  };
  await ask(env, "PUT", "/api/mcp/mine", '{"url":"https://one.example.org/"}', { answer: put });
  await removed.promise;
  assert.deepEqual(order, ["put asked", "put answered", "delete asked", "delete answered"]);
  assert.equal(env.USER.getByName("alice").ctx.storage.kv.map.size, 0);
});

test("who removes a server removes its secrets, whatever the agent says", async () => {
  for (const status of [204, 404, 503]) {
    const env = world();
    const user = env.USER.getByName("alice");
    await setUp(env.USER.getByName("bob"), "mine", { url: "https://one.example.org/", headers: { A: secret } });
    await setUp(user, "mine", { url: "https://one.example.org/", headers: { A: secret } });
    user.ctx.storage.kv.put("grant mine", { access: "canary-token" });
    const { agent } = await ask(env, "DELETE", "/api/mcp/mine", undefined, { answer: () => new Response(null, { status }) });
    assert.equal(agent.length, 1);
    assert.equal(user.ctx.storage.kv.map.size, 0);
    assert.ok(env.USER.getByName("bob").server("mine"));
  }
  const user = world().USER.getByName("alice");
  for (const key of ["server a", "grant a", "flow x", "approval a", "place"]) user.ctx.storage.kv.put(key, { headers: { A: secret } });
  user.servers.clear(); // the user is erased
  assert.deepEqual([...user.ctx.storage.kv.map.keys()], ["place"]);
});

test("an authorization leads away from here, and back", async () => {
  const server = await serve(({ url, body }, response) => {
    if (url === "/mcp") return response.writeHead(401, { "www-authenticate": "Bearer" }).end();
    if (url === "/register") return say(response, 201, { ...JSON.parse(body), client_id: "c", token_endpoint_auth_method: "none" });
    if (url === "/token") return say(response, 200, { access_token: "canary-token", token_type: "Bearer" });
    return response.writeHead(404).end();
  });
  ends.push(server.close);
  const env = world({ MCP_PRIVATE_HOSTS: server.host });
  env.STORE.set("config/mcp.json", { mcpServers: { ours: { url: `${server.url}/mcp` }, keyed: { url: `${server.url}/mcp`, headers: { Authorization: "Bearer ${MCP_NONE}" } } } });
  const route = "/api/mcp/:name/authorize";
  const leave = (name, more) => ask(env, "GET", `/api/mcp/${name}/authorize`, undefined, { route, ...more });
  await setUp(env.USER.getByName("alice"), "mine", { url: `${server.url}/mcp`, headers: {} });
  await setUp(env.USER.getByName("alice"), "token", { url: `${server.url}/mcp`, headers: { authorization: "x" } });
  for (const [name, status, more] of [["nothing", 404], ["ours", 403], ["keyed", 409, { admin: true }], ["token", 409], ["mine", 503, { set: [] }]]) {
    const { got, agent } = await leave(name, more);
    assert.deepEqual([got.status, agent.length], [status, 0], name);
  }
  for (const [name, admin] of [["mine", false], ["ours", true]]) {
    const { got } = await leave(name, { admin });
    const to = new URL(got.headers.get("location"));
    assert.deepEqual([got.status, to.origin, to.searchParams.get("redirect_uri"), got.headers.get("x-core")], [302, server.url, "https://gate.example.org/api/mcp/callback", "1"]);
    const back = `/api/mcp/callback?code=canary-code&state=${to.searchParams.get("state")}&again=1`;
    const other = await ask(env, "GET", back, undefined, { route: "/api/mcp/callback", user: "bob" });
    assert.deepEqual([other.got.status, other.agent.length], [404, 0]);
    const { agent } = await ask(env, "GET", back, undefined, { route: "/api/mcp/callback" });
    assert.deepEqual(agent.map(({ target }) => target), [`/api/mcp/callback?server=${name}`]);
    const keeper = admin ? env.VAULT.getByName("gateway") : env.USER.getByName("alice");
    assert.equal((await keeper.serverToken(name, await identityOf({ url: `${server.url}/mcp` }))).token, "canary-token");
  }
  // A page is told where it leads; who begins again ends what they began.
  const { got: told } = await leave("mine", { accept: "application/json" });
  assert.deepEqual([told.status, told.headers.get("x-core"), new URL((await told.json()).location).origin], [200, "1", server.url]);
  // A browser that comes back to nothing, or with a no, is led to the page, which says so.
  const state = new URL((await leave("mine")).got.headers.get("location")).searchParams.get("state");
  for (const [query, ending] of [["state=none", "unknown"], [`state=${state}&error=access_denied`, "denied"]]) {
    const { got, agent } = await ask(env, "GET", `/api/mcp/callback?${query}`, undefined, { route: "/api/mcp/callback", accept: "text/html,*/*;q=0.8" });
    assert.deepEqual([got.status, got.headers.get("location"), agent.length], [303, `/tools?authorization=${ending}`, 0]);
  }
  // Nobody comes back by saying so.
  assert.equal((await ask(env, "GET", "/api/mcp/callback?server=mine", undefined, { route: "/api/mcp/callback" })).got.status, 404);
});

test("where users share a container nobody sets a server of their own up, and everybody can remove one", async () => {
  const env = world({ AGENT_PLACEMENT: "single", LOONGCLAW_CANARY: "carol:abc" });
  for (const user of ["alice", "carol"]) await setUp(env.USER.getByName(user), "old", { url: "https://old.example.org/", headers: { A: secret } });
  const put = (user) => ask(env, "PUT", "/api/mcp/mine", `{"url":"https://one.example.org/","headers":{"A":"${secret}"}}`, { user });
  const { got, agent, error } = await put("alice");
  assert.deepEqual([got.status, error.code, agent.length, env.USER.getByName("alice").server("mine")], [403, "forbidden", 0, undefined]);
  assert.match(error.error, /share one container/);
  assert.match(error.hint, /config\/mcp\.json.*AGENT_PLACEMENT=user/);
  assert.equal((await put("carol")).got.status, 200, "who has a container of their own");
  const leave = await ask(env, "GET", "/api/mcp/old/authorize", undefined, { route: "/api/mcp/:name/authorize" });
  assert.deepEqual([leave.got.status, leave.error.error], [403, error.error]);
  assert.equal((await ask(env, "DELETE", "/api/mcp/old")).got.status, 200);
  assert.equal(env.USER.getByName("alice").server("old"), undefined);
});

test("an agent elsewhere keeps its secrets itself", () => {
  assert.equal(isServers(decision("PUT", "/api/mcp/:name")), true);
  assert.equal(isServers(decision("PUT", "/api/mcp/:name", { agent: "https://agent.example.org" })), false);
  assert.equal(isServers(decision("GET", "/api/mcp")), false);
});

test("the instance's servers take their secrets from the Worker, and a container is told none", async () => {
  const env = world({ MCP_KEY: `${secret} `, LOONGCLAW_TOKENS: "canary-of-all" });
  const ok = { url: "https://tools.example.org/mcp?a=1", headers: { Authorization: "Bearer ${MCP_KEY}", "X-Plain": "v" }, allow: ["echo", 7], oauth: { clientId: "c", clientSecret: "${MCP_KEY}" } };
  const cases = {
    literal: [{ url: "https://tools.example.org/", headers: { authorization: `Bearer ${secret}` } }, /npx wrangler secret put MCP_LITERAL --env production/],
    "half-literal": [{ url: "https://tools.example.org/", headers: { Authorization: `Bearer ${secret}-and-more-of-it\${MCP_KEY}` } }, /secret put MCP_HALF_LITERAL/],
    cookie: [{ url: "https://tools.example.org/", headers: { Cookie: `a=${secret}` } }, /secret put MCP_COOKIE/],
    client: [{ url: "https://tools.example.org/", oauth: { clientId: "x", clientSecret: secret } }, /secret put MCP_CLIENT/],
    unset: [{ url: "https://tools.example.org/", headers: { "X-Key": "${MCP_UNSET}" } }, /MCP_UNSET is not set on the Worker; run: npx wrangler secret put MCP_UNSET/],
    foreign: [{ url: "https://tools.example.org/", headers: { "X-Key": "${LOONGCLAW_TOKENS}" } }, /not taken from the Worker's secrets/],
    program: [{ command: "sh", args: [secret], env: { A: secret } }, /starts no programs/],
    inside: [{ url: `https://user:${secret}@tools.example.org/` }, /user name or password/],
    plain: [{ url: "http://tools.example.org/" }, /only https/],
  };
  env.STORE.set("config/mcp.json", { mcpServers: { ok, ...Object.fromEntries(Object.entries(cases).map(([name, [entry]]) => [name, entry])) } });
  const { servers: list } = await told(env);
  assert.deepEqual(JSON.parse(JSON.stringify(list.ok)), { url: ok.url, allow: ["echo"] });
  for (const [name, [, want]] of Object.entries(cases)) assert.match(list[name].fault, want, name);
  assert.ok(!JSON.stringify(list).includes("canary"), JSON.stringify(list));
  assert.deepEqual(resolve("ok", ok, env).headers, { Authorization: `Bearer ${secret}`, "X-Plain": "v" });
  for (const [text, want] of [["{", /not JSON/], ["[]", /not of the form/], ['{"mcpServers":{"A":{}}}', /is not the name/], ['{"mcpServers":{"a":7}}', /no object/]]) assert.match(parse(text).fault, want);
  // What was changed counts soon.
  env.STORE.set("config/mcp.json", { mcpServers: {} });
  assert.equal((await instanceOf(env, Date.now() + 9_000)).servers.size, Object.keys(list).length);
  assert.equal((await instanceOf(env, Date.now() + 11_000)).servers.size, 0);
});

test("a container finds neither the instance's configuration nor secrets in the store", () => {
  for (const key of ["config/mcp.json", "u/alice/secrets/mcp.json", "u/alice/secrets/mcp-oauth/mine"]) assert.ok(hidden(key), key);
  for (const key of ["config/mcp-pins/mine", "config/SOUL.md", "u/alice/config/mcp.json", "u/alice/files/secrets/x"]) assert.ok(!hidden(key), key);
  assert.ok(allowed("secrets/mcp-oauth/ours", "alice", false, "*"));
});

test("a container notes what it saw of an instance's server, and approves nothing", async () => {
  const env = world();
  env.STORE.set("config/mcp.json", { mcpServers: { ours: { url: "https://tools.example.org/mcp" } } });
  const of = await identityOf({ url: "https://tools.example.org/mcp" });
  const [good, bad] = ["a".repeat(64), "b".repeat(64)];
  const put = (body, headers = { "if-none-match": "*" }, name = "ours") => {
    const request = new Request(`http://r2.internal/store/config/mcp-pins/${name}`, { method: "PUT", headers, body: JSON.stringify(body) });
    return pin(request, pinned(request), env);
  };
  const replace = (body) => put(body, { "if-match": `"${env.STORE.all.get("config/mcp-pins/ours").etag}"` });
  assert.equal((await put({ of, version: 1, hash: good })).status, 403, "approved by itself");
  assert.equal((await put({ of: "another", version: 1 })).status, 403);
  assert.equal((await put({ of, version: 1 }, undefined, "nothing")).status, 403);
  assert.equal((await put({ of, version: 1 }, {})).status, 412);
  assert.equal((await put({ of, version: 1, protocol: "2025-11-25" })).status, 200);
  assert.equal((await put({ of, version: 1 })).status, 412, "it is there");
  assert.equal((await replace({ of, version: 2, hash: good })).status, 403);
  const { agent } = await ask(env, "POST", "/api/mcp/ours/approve", JSON.stringify({ hash: good }), { route: "/api/mcp/:name/approve" });
  assert.equal(agent[0].body, JSON.stringify({ hash: good }));
  assert.equal((await replace({ of, version: 2, hash: good })).status, 403, "approved by who is no administrator");
  await ask(env, "POST", "/api/mcp/ours/approve", JSON.stringify({ hash: good }), { route: "/api/mcp/:name/approve", admin: true });
  assert.equal((await replace({ of, version: 2, hash: bad })).status, 403, "other definitions");
  assert.equal((await replace({ of, version: 2, hash: good, tools: { echo: { description: "1", schema: "2" } } })).status, 200);
  env.VAULT.getByName("gateway").ctx.storage.kv.delete("approval ours");
  const tools = { echo: { schema: "2", description: "1" } };
  assert.equal((await replace({ of, version: 3, hash: good, tools, changed: bad })).status, 200, "a change that was seen");
  for (const [what, body] of Object.entries({
    "an older version": { of, version: 2, hash: good, tools }, "a far version": { of, version: 9, hash: good, tools }, "other tools": { of, version: 3, hash: good, tools: {} },
    "no approval": { of, version: 3, tools }, "another's": { of: bad, version: 4 }, "words": { of, version: 3, hash: good, tools, protocol: "x".repeat(1000) }, "more": { of, version: 3, hash: good, tools, more: 1 }, "no number": { of, version: "4", hash: good, tools },
  })) assert.equal((await replace(body)).status, 403, what);
  assert.equal(pinned(new Request("http://r2.internal/store/u/alice/config/mcp-pins/ours", { method: "PUT", body: "" })), undefined);
  assert.equal(mayWrite({ of: "old", hash: good, version: 4 }, { of, version: 5 }, of, ""), true, "another server has the name now");
});

test("a name that JavaScript's objects have already is a name like another", async () => {
  const env = world();
  const url = "https://tools.example.org/mcp";
  env.STORE.set("config/mcp.json", `{"mcpServers":{"__proto__":{"url":"${url}","headers":{"__proto__":"plain"}},"constructor":{"url":"${url}"}}}`);
  assert.deepEqual(Object.entries((await told(env)).servers).map(([name, { url }]) => [name, url]), [["__proto__", url], ["constructor", url]]);
  const full = resolve("__proto__", (await instanceOf(env)).servers.get("__proto__"), env);
  assert.deepEqual(Object.entries(full.headers), [["__proto__", "plain"]]);
  assert.equal(splitEntry(`{"__proto__":{"url":"${url}"}}`, new Set()).code, "invalid_request", "it has no url");
});
