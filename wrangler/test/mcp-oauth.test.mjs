import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, test } from "node:test";
import { say, serve, setUp, world } from "./lib/mcp.mjs";
import { answeredHeader, identityHeader, mcp } from "../egress/mcp.mjs";
import { bearer } from "../mcp/challenge.mjs";
import { identityOf } from "../mcp/entry.mjs";

const ends = [];
after(() => ends.forEach((end) => end()));

const applicant = { callback: "https://gate.example.org/api/mcp/callback" };
const sha = (text) => createHash("sha256").update(text).digest("base64url");

/** Who asks for a token. */
function clientOf({ authorization = "" }, form) {
  if (!authorization.startsWith("Basic ")) return form.get("client_id");
  return decodeURIComponent(atob(authorization.slice(6)).split(":")[0]);
}

/**
 * A server of tools with its authorization server, as strict as it may be.
 */
async function guardian(change = {}) {
  const g = { codes: new Map(), access: new Set(), refresh: new Set(), n: 0, registered: 0, renewals: 0, life: 3600, ...change };
  const give = () => {
    const [access, refresh] = [`canary-access-${++g.n}`, `canary-refresh-${g.n}`];
    g.access.add(access);
    g.refresh.add(refresh);
    return { access_token: access, refresh_token: refresh, token_type: "Bearer", expires_in: g.life };
  };
  const server = await serve(async ({ method, url, headers, body }, response) => {
    const { pathname } = new URL(url, "http://x");
    const form = new URLSearchParams(body);
    if (pathname === "/.well-known/oauth-protected-resource/mcp") return say(response, 200, { resource: g.resource ?? `${g.url}/mcp`, authorization_servers: [g.issuer ?? g.url], scopes_supported: ["tools"] });
    if (pathname === "/.well-known/oauth-authorization-server") {
      return say(response, 200, {
        issuer: g.claims ?? g.url, authorization_endpoint: g.authorize ?? `${g.url}/authorize`, token_endpoint: g.token ?? `${g.url}/token`, registration_endpoint: `${g.url}/register`,
        response_types_supported: ["code"], code_challenge_methods_supported: g.pkce ?? ["S256"], scopes_supported: ["tools", "offline_access"], authorization_response_iss_parameter_supported: true, ...g.more,
      });
    }
    if (pathname === "/register") {
      g.registered++;
      return say(response, 201, { ...JSON.parse(body), client_id: `client-${g.registered}`, token_endpoint_auth_method: "none" });
    }
    if (pathname === "/token") {
      g.asked = { headers, form };
      if (g.slow) await new Promise((done) => setTimeout(done, 50));
      if (g.broken) return say(response, 500, { error: "server_error", error_description: "canary-of-words" });
      if (form.get("grant_type") === "refresh_token") {
        g.renewals++;
        if (!g.refresh.delete(form.get("refresh_token"))) return say(response, 400, { error: "invalid_grant", error_description: "canary-of-words" });
        return say(response, 200, give());
      }
      const code = g.codes.get(form.get("code"));
      g.codes.delete(form.get("code"));
      if (!code || sha(form.get("code_verifier") ?? "") !== code.challenge || form.get("redirect_uri") !== code.callback || form.get("resource") !== `${g.url}/mcp` || clientOf(headers, form) !== code.client) return say(response, 400, { error: "invalid_grant", error_description: "canary-of-words" });
      return say(response, 200, give());
    }
    if (pathname === "/mcp") {
      const token = (headers.authorization ?? "").replace("Bearer ", "");
      if (g.open) return say(response, 200, {});
      if (!g.access.has(token)) return response.writeHead(401, { "www-authenticate": `Bearer resource_metadata="${g.url}/.well-known/oauth-protected-resource/mcp", scope="tools more"` }).end();
      if (g.lacks) return response.writeHead(403, { "www-authenticate": 'Bearer error="insufficient_scope", scope="admin"' }).end();
      return say(response, 200, { heard: token });
    }
    return response.writeHead(404).end();
  });
  ends.push(server.close);
  Object.assign(g, { url: server.url, host: server.host, seen: server.seen });
  g.env = world({ MCP_PRIVATE_HOSTS: server.host });
  g.alice = g.env.USER.getByName("alice");
  await setUp(g.alice, "mine", { url: `${g.url}/mcp`, headers: {} });
  /** A person says yes. */
  g.yes = (location) => {
    const asked = new URL(location).searchParams;
    assert.equal(asked.get("code_challenge_method"), "S256");
    const code = `code-${g.codes.size}`;
    g.codes.set(code, { challenge: asked.get("code_challenge"), callback: asked.get("redirect_uri"), client: asked.get("client_id") });
    return `?${new URLSearchParams({ code, state: asked.get("state"), iss: g.url })}`;
  };
  g.begin = (user = "alice", as = applicant) => g.alice.beginAuthorization(user, "mine", { url: `${g.url}/mcp`, headers: {} }, as);
  g.comply = async () => g.alice.endAuthorization("alice", g.yes((await g.begin()).location));
  g.ask = async () => mcp(new Request("http://mcp.internal/servers/u/alice/mine", { method: "POST", headers: { [identityHeader]: await identityOf({ url: `${g.url}/mcp` }) }, body: "{}" }), g.env, "alice", false);
  return g;
}

test("an authorization is begun, given and used, and the container sees no token of it", async () => {
  const g = await guardian();
  assert.equal((await g.ask()).headers.get(answeredHeader), "wanted");
  const { location } = await g.begin();
  const asked = new URL(location);
  assert.equal(asked.origin + asked.pathname, `${g.url}/authorize`);
  assert.deepEqual([asked.searchParams.get("resource"), asked.searchParams.get("redirect_uri"), asked.searchParams.get("scope"), asked.searchParams.get("client_id")], [`${g.url}/mcp`, applicant.callback, "tools more offline_access", "client-1"]);
  const back = g.yes(location);
  assert.deepEqual(await g.alice.endAuthorization("alice", back), { name: "mine" });
  assert.equal((await g.alice.endAuthorization("alice", back)).status, 404, "once more");
  const answer = await g.ask();
  assert.deepEqual([answer.status, await answer.json()], [200, { heard: "[secret]" }]);
  assert.equal(g.seen.at(-1).headers.authorization, "Bearer canary-access-1");
});

test("who began it ends it, and a link of another's gives nothing", async () => {
  const g = await guardian();
  const back = g.yes((await g.begin()).location);
  const state = new URLSearchParams(back).get("state");
  for (const [user, query] of [["bob", back], ["alice", "?code=code-0&state=another"], ["alice", "?code=code-0&state="], ["alice", ""], ["alice", "?code=code-0&state=u"]]) {
    assert.equal((await g.alice.endAuthorization(user, query)).status, 404, `${user} ${query}`);
  }
  assert.match((await g.alice.endAuthorization("alice", `?error=%3Cscript%3E熊&state=${state}`)).error, /says no: <script>\?/);
  assert.equal((await g.alice.endAuthorization("alice", back)).status, 404, "after a no");
});

test("one that was begun again, took too long or came from another issuer is void", async () => {
  const g = await guardian();
  const first = g.yes((await g.begin()).location);
  const second = g.yes((await g.begin()).location);
  assert.equal((await g.alice.endAuthorization("alice", first)).status, 404);
  for (const [without, iss] of [[false, "https://another.example.org"], [true, ""]]) {
    const query = new URLSearchParams(second);
    query.set("iss", iss);
    if (without) query.delete("iss");
    query.set("state", new URL((await g.begin()).location).searchParams.get("state"));
    const said = await g.alice.endAuthorization("alice", `?${query}`);
    assert.deepEqual([said.status, said.code], [503, "unavailable"], said.error);
  }
  const late = g.yes((await g.begin()).location);
  const [key, flow] = g.alice.ctx.storage.kv.list({ prefix: "flow " })[0];
  g.alice.ctx.storage.kv.put(key, { ...flow, until: Date.now() - 1 });
  assert.equal((await g.alice.endAuthorization("alice", late)).status, 404);
  assert.equal(g.n, 0, "tokens were given");
});

test("two who need a renewal at once spend the refresh token once", async () => {
  const g = await guardian({ life: 20, slow: true }); // renewed before every use
  await g.comply();
  g.life = 3600;
  const answers = await Promise.all(Array.from({ length: 8 }, () => g.ask()));
  assert.deepEqual(answers.map(({ status }) => status), Array(8).fill(200));
  assert.equal(g.renewals, 1);
  assert.equal(g.asked.form.get("refresh_token"), "canary-refresh-1");
  assert.equal((await g.ask()).status, 200);
  assert.equal(g.renewals, 1, "it was kept");
  // The server takes the token back before its time: one new one for all.
  g.access.clear();
  const again = await Promise.all(Array.from({ length: 4 }, () => g.ask()));
  assert.deepEqual(again.map(({ status }) => status), Array(4).fill(200));
  assert.equal(g.renewals, 2);
});

test("a renewal that is refused asks for a person, and one that fails is tried again", async () => {
  const g = await guardian({ life: 20 });
  await g.comply();
  g.broken = true;
  const failed = await g.ask();
  assert.deepEqual([failed.status, failed.headers.get("x-loongclaw-authorize")], [502, null]);
  assert.match((await failed.json()).error, /does not renew the authorization now/);
  g.broken = false;
  assert.equal((await g.ask()).status, 200);
  g.refresh.clear();
  const ended = await g.ask();
  assert.deepEqual([ended.status, ended.headers.get("x-loongclaw-authorize")], [401, "1"]);
  assert.ok(!/canary/.test(await ended.text()));
});

test("a server that wants more is asked for with what was granted before", async () => {
  const g = await guardian();
  await g.comply();
  g.lacks = true;
  assert.equal((await g.ask()).headers.get(answeredHeader), "less");
  assert.equal(new URL((await g.begin()).location).searchParams.get("scope"), "admin tools more offline_access");
});

test("a token goes to its own server only, and nothing is left of one that was removed", async () => {
  const g = await guardian();
  await g.comply();
  const other = await guardian({ open: true });
  g.env.MCP_PRIVATE_HOSTS = `${g.host},${other.host}`;
  g.alice.servers.privates.add(other.host);
  await setUp(g.alice, "mine", { url: `${other.url}/mcp`, headers: {} });
  await mcp(new Request("http://mcp.internal/servers/u/alice/mine", { method: "POST", headers: { [identityHeader]: await identityOf({ url: `${other.url}/mcp` }) }, body: "{}" }), g.env, "alice", false);
  assert.equal(other.seen.at(-1).headers.authorization, undefined);
  await g.begin();
  await g.alice.removeServer("mine");
  assert.deepEqual([...g.alice.ctx.storage.kv.map.keys()], []);
});

test("a document stands for a registration, and an owner's client too", async () => {
  const g = await guardian({ more: { client_id_metadata_document_supported: true } });
  const document = "https://gate.example.org/api/mcp/client.json";
  assert.equal(new URL((await g.begin("alice", { ...applicant, document })).location).searchParams.get("client_id"), document);
  const h = await guardian();
  const { location } = await h.alice.beginAuthorization("alice", "mine", { url: `${h.url}/mcp`, headers: {} }, applicant, { id: "owner's", secret: "canary-client" });
  assert.deepEqual(await h.alice.endAuthorization("alice", h.yes(location)), { name: "mine" });
  assert.equal(h.registered, 0);
  assert.equal(h.asked.headers.authorization, `Basic ${btoa("owner%27s:canary%2Dclient")}`);
});

test("addresses that a server chooses are judged before they are asked", async () => {
  for (const [what, change] of Object.entries({
    "its issuer is inside": { issuer: "https://169.254.169.254" },
    "its issuer is another": { claims: "https://another.example.org" },
    "people are sent inside": { authorize: "http://localhost:1/authorize" },
    "no address of the web": { authorize: "javascript:alert(1)" },
    "no PKCE": { pkce: ["plain"] },
  })) {
    const g = await guardian(change);
    const said = await g.begin();
    assert.deepEqual([said.status, said.code, said.location], [503, "unavailable", undefined], `${what}: ${said.error}`);
  }
  const g = await guardian({ token: "http://169.254.169.254/token" });
  const said = await g.comply();
  assert.match(said.error, /an address that is not reached/);
  const open = await guardian({ open: true });
  assert.deepEqual([(await open.begin()).status, (await open.begin()).error], [409, "this server wants no authorization"]);
  // Metadata of another resource is passed over: then the server speaks for itself.
  const foreign = await guardian({ resource: "https://another.example.org/mcp", issuer: "https://169.254.169.254" });
  assert.ok((await foreign.begin()).location);
});

test("a challenge is read as it is written", () => {
  for (const [header, want] of [
    ['Bearer realm="a, b", error="insufficient_scope", scope="x y"', { realm: "a, b", error: "insufficient_scope", scope: "x y" }],
    ['Basic realm="x", bearer Resource_Metadata="https://a/b?c=\\"d"', { resource_metadata: 'https://a/b?c="d' }],
    ["Bearer", {}], ["", {}], ["Basic realm=\"bearer scope=x\"", {}], ["DPoP scope=a, Bearer scope=b", { scope: "b" }], ["Bearer scope=a, scope=b", { scope: "a" }],
  ]) assert.deepEqual(bearer(header), want, header);
});
