import assert from "node:assert/strict";
import { after, test } from "node:test";
import { say, serve, setUp as taken, world } from "./lib/mcp.mjs";
import { answeredHeader, identityHeader, mcp } from "../egress/mcp.mjs";
import { idOf, segment } from "../egress/keys.mjs";
import { identityOf } from "../mcp/entry.mjs";
import { holdsOthers } from "../objects/agents.mjs";

/** @type {(() => void)[]} */
const ends = [];
after(() => ends.forEach((end) => end()));

/** @param {Parameters<typeof serve>[0]} answer */
async function site(answer) {
  const server = await serve(answer);
  ends.push(server.close);
  return server;
}

const secret = "canary-of-a-header";

/** Alice's own server, set up. */
async function setUp(env, url, headers = { "X-Key": secret }, name = "mine", user = "alice") {
  await taken(env.USER.getByName(user), name, { url, headers });
  return identityOf({ url });
}

/** Asks the proxy as a container does. */
function ask(env, path, identity, { method = "POST", headers = {}, body = "{}", part = "alice", shared = false, signal } = {}) {
  const request = new Request(`http://mcp.internal${path}`, { method, headers: { [identityHeader]: identity, ...headers }, body: method === "POST" ? body : undefined, signal });
  return mcp(request, env, part, shared);
}

test("a server is shown its headers and what the protocol needs, and nothing else passes either way", async () => {
  const server = await site((_, response) => say(response, 200, { ok: true }, { "mcp-session-id": "s1", "set-cookie": "a=b", server: "x", "x-other": "y" }));
  const env = world({ MCP_PRIVATE_HOSTS: server.host });
  const id = await setUp(env, `${server.url}/mcp?team=1`);
  const headers = {
    accept: "text/event-stream", "content-type": "application/json", "mcp-session-id": "s0", "mcp-protocol-version": "2025-11-25", "mcp-method": "tools/call", "last-event-id": "7",
    authorization: "Bearer mine", cookie: "a=b", "x-key": "mine", "x-loongclaw-door": "token", host: "elsewhere", forwarded: "for=1", "user-agent": "agent",
  };
  const answer = await ask(env, "/servers/u/alice/mine", id, { headers, body: '{"a":"熊"}' });
  assert.equal(answer.status, 200);
  assert.deepEqual(await answer.json(), { ok: true });
  assert.deepEqual([...answer.headers.keys()].sort(), ["content-type", "mcp-session-id", answeredHeader.toLowerCase()]);
  const got = server.seen.at(-1);
  assert.deepEqual([got.method, got.url, got.body, got.headers.host], ["POST", "/mcp?team=1", '{"a":"熊"}', server.host]);
  assert.deepEqual(
    ["accept", "content-type", "mcp-session-id", "mcp-protocol-version", "mcp-method", "last-event-id", "x-key"].map((name) => got.headers[name]),
    ["text/event-stream", "application/json", "s0", "2025-11-25", "tools/call", "7", secret],
  );
  for (const name of ["authorization", "cookie", "x-loongclaw-door", "forwarded", identityHeader.toLowerCase()]) assert.equal(got.headers[name], undefined, name);
});

test("a container reaches the servers of its user and the instance's, by their names, and nothing else", async () => {
  const server = await site((_, response) => say(response, 200, {}));
  const env = world({ MCP_PRIVATE_HOSTS: server.host, MCP_KEY: secret });
  env.STORE.set("config/mcp.json", { mcpServers: { ours: { url: `${server.url}/ours`, headers: { Authorization: "Bearer ${MCP_KEY}" } }, program: { command: "sh" } } });
  const mine = await setUp(env, `${server.url}/mine`);
  const hers = await setUp(env, `${server.url}/hers`, { "X-Key": secret }, "hers", "bob");
  const ours = await identityOf({ url: `${server.url}/ours` });
  for (const [path, id, method, status] of [
    ["/servers/u/bob/hers", hers, "POST", 403], ["/servers/u/alice/hers", hers, "POST", 404], ["/servers/config/hers", hers, "POST", 404],
    ["/servers/u/alice/mine", hers, "POST", 409], ["/servers/u/alice/mine", "", "POST", 409], ["/servers/u/alice/mine", ours, "POST", 409],
    ["/servers/config/program", mine, "POST", 403], ["/servers/config/__proto__", mine, "POST", 404], ["/servers/config/constructor", mine, "POST", 404],
    ["/servers/u/alice/mine/more", mine, "POST", 404], ["/servers/u/alice/mine?to=http://169.254.169.254/", mine, "POST", 404], ["/servers/u/alice/..%2fbob%2fhers", mine, "POST", 404],
    ["/servers/u/alice/../bob/hers", hers, "POST", 403], ["//169.254.169.254/servers/u/alice/mine", mine, "POST", 404], ["/", mine, "POST", 404], ["/servers/u/alice/mine", mine, "PUT", 405],
    ["/servers/u/alice/mine", mine, "PATCH", 405], ["/servers/u/alice/mine", mine, "OPTIONS", 405], ["/servers/u/alice/mine", mine, "HEAD", 405], ["/servers", mine, "POST", 404],
  ]) {
    const answer = await ask(env, path, id, { method });
    assert.equal(answer.status, status, `${method} ${path}`);
    assert.equal(answer.headers.get(answeredHeader), null, path);
  }
  assert.equal(server.seen.length, 0);
  assert.equal((await ask(env, "/servers/config/ours", ours)).status, 200);
  assert.equal(server.seen.at(-1).headers.authorization, `Bearer ${secret}`);
  assert.equal((await ask(env, "/servers/u/bob/hers", hers, { part: "bob" })).status, 200);
  assert.equal((await ask(env, "/servers/u/alice/mine", mine, { body: "x".repeat((4 << 20) + 1) })).status, 413);
});

test("a container that several users share reaches the instance's servers, and no user's", async () => {
  const server = await site((_, response) => say(response, 200, {}));
  const env = world({ MCP_PRIVATE_HOSTS: server.host });
  env.STORE.set("config/mcp.json", { mcpServers: { ours: { url: `${server.url}/ours` } } });
  const mine = await setUp(env, `${server.url}/mine`);
  const hers = await setUp(env, `${server.url}/hers`, { "X-Key": secret }, "hers", "bob");
  for (const [path, id, part] of [["/servers/u/alice/mine", mine, "alice"], ["/servers/u/bob/hers", hers, "bob"], ["/servers/u/bob/hers", hers, "alice"], ["/servers/u/alice/nothing", mine, "alice"]]) {
    for (const method of ["GET", "POST", "DELETE"]) assert.equal((await ask(env, path, id, { part, method, shared: true })).status, 403, `${method} ${path}`);
  }
  const { error } = await (await ask(env, "/servers/u/alice/mine", mine, { shared: true })).json();
  assert.match(error, /share one container.*config\/mcp\.json.*AGENT_PLACEMENT=user/);
  assert.equal(server.seen.length, 0);
  assert.equal((await ask(env, "/servers/config/ours", await identityOf({ url: `${server.url}/ours` }), { shared: true })).status, 200);
  assert.equal((await ask(env, "/servers/u/alice/mine", mine)).status, 200);
});

test("a container counts as shared from the first moment that it may have a second user's token", () => {
  const single = { AGENT_PLACEMENT: "single", LOONGCLAW_CANARY: "carol:abc" };
  for (const [env, start, want] of [
    [{}, { users: ["alice"] }, false], [{ AGENT_PLACEMENT: "user" }, { users: ["everybody"] }, false], [single, { users: ["carol"] }, false], [single, { users: [] }, false],
    [single, { users: ["alice"] }, true], [{}, { users: ["alice", "bob"] }, true], [{}, { users: ["alice"], shared: true }, true], [single, { users: ["carol", "bob"] }, true],
  ]) assert.equal(holdsOthers(env, start), want, JSON.stringify([env, start]));
});

test("a redirect is judged anew, and headers stay with their own host", async () => {
  const thief = await site((_, response) => say(response, 200, { stolen: true }));
  let to = "";
  let status = 307;
  const server = await site(({ url }, response) => (url === "/home" ? say(response, 200, { home: true }) : response.writeHead(status, { location: to }).end()));
  const env = world({ MCP_PRIVATE_HOSTS: `${server.host}, ${thief.host}` });
  const id = await setUp(env, `${server.url}/mcp`, { Authorization: `Bearer ${secret}`, Cookie: "canary=1", "X-Key": secret });
  for (const bad of ["http://169.254.169.254/latest/meta-data", "https://169.254.169.254/", "http://localhost:1/", "https://[::1]/", "http://example.com/", "ftp://example.com/", "https://r2.internal/", "https://user:pass@example.com/", `http://127.0.0.1:1/`, "http://0x7f000001/"]) {
    to = bad;
    const answer = await ask(env, "/servers/u/alice/mine", id);
    assert.equal(answer.status, 502, bad);
    assert.match((await answer.json()).error, /redirects to an address that is not reached/);
  }
  to = `${server.url}/mcp`;
  const before = server.seen.length;
  assert.match((await (await ask(env, "/servers/u/alice/mine", id)).json()).error, /redirects more than 5 times/);
  assert.equal(server.seen.length - before, 6);
  to = "/home";
  assert.deepEqual(await (await ask(env, "/servers/u/alice/mine", id)).json(), { home: true });
  assert.deepEqual([server.seen.at(-1).headers["x-key"], server.seen.at(-1).method, server.seen.at(-1).body], [secret, "POST", "{}"]);
  to = `${thief.url}/there`;
  for (const [given, method, body] of [[307, "POST", "{}"], [302, "GET", ""]]) {
    status = given;
    assert.deepEqual(await (await ask(env, "/servers/u/alice/mine", id, { headers: { "mcp-session-id": "s" } })).json(), { stolen: true });
    const got = thief.seen.at(-1);
    assert.deepEqual([got.method, got.body, got.headers["x-key"], got.headers.authorization, got.headers.cookie, got.headers["mcp-session-id"]], [method, body, undefined, undefined, undefined, undefined]);
  }
});

test("an address that is not public was not set up, or is not reached when the owner takes it back", async () => {
  const server = await site((_, response) => say(response, 200, {}));
  const env = world();
  for (const url of [`${server.url}/mcp`, "https://169.254.169.254/", "https://metadata.google.internal/", "https://10.0.0.1/", "http://example.com/", "https://printer.local/"]) {
    const id = await setUp(env, url);
    const answer = await ask(env, "/servers/u/alice/mine", id);
    assert.equal(answer.status, 403, url);
  }
  assert.equal(server.seen.length, 0);
});

test("what a server sends is bounded", async () => {
  let sent = 0;
  const server = await site(({ url }, response) => {
    if (url === "/said") return response.writeHead(200, { "content-length": String(1 << 30) }).write("x");
    response.writeHead(200, { "content-type": "application/json" });
    const more = () => {
      while (!response.destroyed && sent < 1 << 30) {
        sent += 1 << 16;
        if (!response.write(Buffer.alloc(1 << 16, "x"))) return response.once("drain", more);
      }
      return response.end();
    };
    return more();
  });
  const env = world({ MCP_PRIVATE_HOSTS: server.host });
  const said = await ask(env, "/servers/u/alice/mine", await setUp(env, `${server.url}/said`));
  assert.deepEqual([said.status, said.headers.get(answeredHeader)], [502, null]);
  const endless = await ask(env, "/servers/u/alice/mine", await setUp(env, `${server.url}/endless`));
  let got = 0;
  await assert.rejects(async () => {
    for await (const chunk of endless.body) got += chunk.length;
  });
  assert.ok(got >= 16 << 20 && got <= 17 << 20, `${got} bytes came`);
  assert.ok(sent < 64 << 20, `${sent} bytes were sent`);
});

test("a stream passes piece by piece, and ends with whoever reads it", async () => {
  let gone = false;
  const step = Promise.withResolvers();
  const server = await site(async (_, response) => {
    response.on("close", () => (gone = true));
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write("data: 1\n\n");
    await step.promise;
    response.write("data: 2\n\n");
  });
  const env = world({ MCP_PRIVATE_HOSTS: server.host });
  const end = new AbortController();
  const answer = await ask(env, "/servers/u/alice/mine", await setUp(env, server.url), { method: "GET", signal: end.signal });
  const reader = answer.body.getReader();
  assert.equal(new TextDecoder().decode((await reader.read()).value), "data: 1\n\n");
  step.resolve();
  assert.equal(new TextDecoder().decode((await reader.read()).value), "data: 2\n\n");
  end.abort();
  await assert.rejects(reader.read());
  for (let i = 0; i < 100 && !gone; i++) await new Promise((done) => setTimeout(done, 10));
  assert.ok(gone, "the server still sends");
});

test("a server that repeats what it was shown tells the container nothing, wherever the pieces break", async () => {
  const token = 'canary-"of"-a-token';
  const text = `{"a":"${secret}","b":${JSON.stringify(token)},"c":"Bearer ${token.replaceAll('"', '\\"')}","d":"canary-of-a-head"}`;
  const server = await site(async (_, response) => {
    response.writeHead(401, { "content-type": "application/json", "www-authenticate": `Bearer error="${secret}"`, "mcp-session-id": secret });
    for (const c of text) {
      response.write(c);
      await new Promise((done) => setImmediate(done));
    }
    response.end();
  });
  const env = world({ MCP_PRIVATE_HOSTS: server.host });
  const answer = await ask(env, "/servers/u/alice/mine", await setUp(env, server.url, { "X-Key": secret, Authorization: `Bearer ${token}` }));
  const got = await answer.text();
  assert.equal(got, '{"a":"[secret]","b":"[secret]","c":"[secret]","d":"canary-of-a-head"}');
  assert.ok(!JSON.stringify([...answer.headers]).includes(secret));
  assert.deepEqual([answer.status, answer.headers.get(answeredHeader)], [401, "refused"]);
});

test("a server that never answers is given up", async () => {
  let gone = 0;
  const server = await site((_, response) => new Promise((done) => response.on("close", () => done(gone++))));
  const env = world({ MCP_PRIVATE_HOSTS: server.host, MCP_TIMEOUT: "1s" });
  const real = AbortSignal.timeout;
  const asked = [];
  AbortSignal.timeout = (ms) => real.call(AbortSignal, (asked.push(ms), 50));
  try {
    const answer = await ask(env, "/servers/u/alice/mine", await setUp(env, server.url));
    assert.deepEqual([answer.status, answer.headers.get(answeredHeader), asked], [504, null, [15_000]]);
    for (const [text, want] of [["1m30s", 95_000], ["6m30s", 395_000], ["90.5s", 95_500], ["90000", 95_000], ["what", 35_000]]) {
      env.MCP_TIMEOUT = text; // as the agent reads it
      await ask(env, "/servers/u/alice/mine", await setUp(env, server.url));
      assert.equal(asked.pop(), want, text);
    }
    env.MCP_TIMEOUT = "2m";
    await ask(env, "/servers/u/alice/mine", await setUp(env, server.url));
    await ask(env, "/servers/u/alice/mine", await setUp(env, server.url), { method: "GET" });
    await ask(env, "/servers/u/alice/mine", await setUp(env, server.url), { headers: { "mcp-method": "subscriptions/listen" } });
    assert.deepEqual(asked, [15_000, 125_000, 900_000, 900_000]);
  } finally {
    AbortSignal.timeout = real;
  }
  for (let i = 0; i < 100 && gone < 9; i++) await new Promise((done) => setTimeout(done, 10));
  assert.equal(gone, 9);
});

test("a refusal comes back with what the server wants, so that an authorization can begin", async () => {
  const server = await site((_, response) => response.writeHead(401, { "www-authenticate": 'Bearer resource_metadata="https://x.example.org/meta"' }).end());
  const env = world({ MCP_PRIVATE_HOSTS: server.host });
  const answer = await ask(env, "/servers/u/alice/mine", await setUp(env, server.url, {}));
  assert.deepEqual([answer.status, answer.headers.get(answeredHeader), answer.headers.get("www-authenticate")], [401, "wanted", 'Bearer resource_metadata="https://x.example.org/meta"']);
});

test("nobody is told an address that cannot be reached", async () => {
  const env = world({ MCP_PRIVATE_HOSTS: "127.0.0.1:1" });
  const answer = await ask(env, "/servers/u/alice/mine", await setUp(env, "http://127.0.0.1:1/with?key=canary"));
  const { error } = await answer.json();
  assert.deepEqual([answer.status, /canary|127/.test(error)], [502, false]);
});

test("an identity is what the agent makes of an entry", async () => {
  // The same in agent/tools/mcp, TestAnIdentityIsTheSameAtTheEdge.
  assert.equal(await identityOf({ url: "https://例子.example.org/a?b=<c>&d=\u2028\"\\" }), "32dd9ce42fe04366c610f97458ebe5aa8072728b95bbb604e29b40833020e564");
  assert.equal(await identityOf({ command: "node", args: ["a", "é"], cwd: "/x" }), "a78b1751a67f985dc79e2b4826b8e948cb0d76183e8b89103cd9cbe358f5be10");
});

test("a segment of a key says whose it is", () => {
  for (const id of ["alice", "熊大", "A.b@example.org", "a_b", "-x", "x".repeat(65), ""]) assert.equal(idOf(segment(id)), id);
  for (const bad of ["_", "_zzzz", "_A", "Alice", "a_b", "a/b", "_0", `${segment("熊大")}0`]) {
    const id = idOf(bad);
    assert.ok(id === undefined || segment(id) === bad, bad);
  }
});
