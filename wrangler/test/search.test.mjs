import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, beforeEach, test } from "node:test";
import { containerEnv } from "../container/environment.mjs";
import { endpoint, isSearch, search, searchProvider } from "../egress/search.mjs";
import table from "../../agent/websearch/providers.json" with { type: "json" };

const secret = "canary-search-key";
/** @type {import("node:http").Server} */
let provider;
/** @type {{method: string, url: string, headers: import("node:http").IncomingHttpHeaders, body: string}[]} */
let seen = [];
let base = "";

before(async () => {
  provider = createServer(async (request, response) => {
    let body = "";
    for await (const piece of request) body += piece;
    seen.push({ method: request.method ?? "", url: request.url ?? "", headers: request.headers, body });
    if (request.url?.startsWith("/moved")) return response.writeHead(302, { location: "http://10.0.0.1/" }).end();
    if (request.url?.startsWith("/busy")) return response.writeHead(429, { "retry-after": "7", "x-ratelimit-reset": "1, 2" }).end();
    if (request.url?.startsWith("/huge")) return response.writeHead(200, { "content-type": "application/json" }).end(Buffer.alloc(3 << 20, "x"));
    response.writeHead(200, { "content-type": "application/json", "set-cookie": "a=b", "x-account": "the owner's" });
    response.end(`{"results":[],"echo":"${secret}"}`);
  });
  await new Promise((done) => provider.listen(0, "127.0.0.1", () => done(undefined)));
  base = `http://127.0.0.1:${/** @type {import("node:net").AddressInfo} */ (provider.address()).port}`;
});

beforeEach(() => {
  seen = [];
});

after(() => {
  provider.closeAllConnections();
  provider.close();
});

/** @param {Record<string, string>} vars */
const environment = (vars) => /** @type {Env} */ (/** @type {unknown} */ (vars));

/**
 * @param {string} path
 * @param {Record<string, string>} vars
 * @param {RequestInit} [init]
 */
const ask = (path, vars, init = {}) => search(new Request(`http://web.internal${path}`, init), environment(vars));

const post = { method: "POST", body: '{"query":"pandas"}', headers: { "content-type": "application/json", cookie: "a", authorization: "Bearer forged", "x-api-key": "forged", "x-loongclaw-door": "t" } };

test("each provider gets its key as it wants it, and nothing else of the container's", async () => {
  for (const row of table) {
    seen = [];
    const vars = { WEB_SEARCH_PROVIDER: row.name, [row.urls[0]]: base, ...(row.keys[0] ? { [row.keys[0]]: secret } : {}) };
    const answer = await ask(`/search/${row.name}${row.method === "GET" ? "?q=pandas&count=2" : ""}`, vars, row.method === "POST" ? post : { headers: post.headers });
    assert.equal(answer.status, 200, row.name);
    assert.deepEqual([...answer.headers.keys()].sort(), ["content-type", "x-loongclaw-web"]);
    const text = await answer.text();
    assert.ok(row.auth === "none" || !text.includes(secret), "a key that is repeated does not reach the container");
    const [{ method, url, headers, body }] = seen;
    assert.deepEqual([method, body], row.method === "POST" ? ["POST", post.body] : ["GET", ""]);
    assert.equal(url, `${row.bare}${row.path}${row.method === "GET" ? "?q=pandas&count=2" : ""}`);
    const shown = { authorization: headers.authorization, "x-api-key": headers["x-api-key"], "x-subscription-token": headers["x-subscription-token"] };
    const want = /** @type {Record<string, string | undefined>} */ ({ authorization: undefined, "x-api-key": undefined, "x-subscription-token": undefined });
    if (row.auth === "bearer") want.authorization = `Bearer ${secret}`;
    else if (row.auth !== "none") want[row.auth] = secret;
    assert.deepEqual(shown, want, row.name);
    assert.deepEqual([headers.cookie, headers["x-loongclaw-door"]], [undefined, undefined]);
  }
});

test("only the search of the one provider that is set up is open", async () => {
  const vars = { TAVILY_API_KEY: secret, TAVILY_API_URL: base, EXA_API_KEY: secret, EXA_API_URL: base };
  for (const [path, init, status] of /** @type {[string, RequestInit, number][]} */ ([
    ["/search/exa", post, 404], // the first one is asked
    ["/search/brave", {}, 404],
    ["/search/nobody", post, 404],
    ["/search/tavily/../../extract", post, 404],
    ["/search/tavily/extract", post, 404],
    ["/search/", post, 404],
    ["/search/tavily", {}, 405],
    ["/search/tavily", { ...post, body: "x".repeat(20_000) }, 413],
  ])) {
    const answer = await ask(path, vars, init);
    assert.equal(answer.status, status, path);
    assert.equal(answer.headers.get("x-loongclaw-web"), null);
  }
  assert.equal((await ask("/search/tavily", { ...vars, WEB_SEARCH_PROVIDER: "none" }, post)).status, 404);
  assert.equal((await ask("/search/brave?q=a", { ...vars, WEB_SEARCH_PROVIDER: "brave" })).status, 404, "named, but without a key");
  assert.deepEqual(seen, []);
  assert.equal(isSearch(new URL("http://web.internal/?url=https://x/search/tavily")), false);
});

test("redirects, refusals and too much are the agent's to judge, or refused", async () => {
  const vars = { TAVILY_API_KEY: secret };
  const moved = await ask("/search/tavily", { ...vars, TAVILY_API_URL: `${base}/moved` }, post);
  assert.deepEqual([moved.status, moved.headers.get("location"), seen.length], [302, null, 1]);
  const busy = await ask("/search/tavily", { ...vars, TAVILY_API_URL: `${base}/busy` }, post);
  assert.deepEqual([busy.status, busy.headers.get("retry-after"), busy.headers.get("x-ratelimit-reset")], [429, "7", "1, 2"]);
  assert.equal((await ask("/search/tavily", { ...vars, TAVILY_API_URL: `${base}/huge` }, post)).status, 502);
  for (const bad of ["http://127.0.0.1:1", "no address"]) {
    const answer = await ask("/search/tavily", { ...vars, TAVILY_API_URL: bad }, post);
    assert.equal(answer.status, 502);
    assert.ok(!(await answer.text()).includes(bad));
  }
});

test("addresses in any form", () => {
  const row = (/** @type {string} */ name) => /** @type {(typeof table)[number]} */ (table.find((r) => r.name === name));
  for (const [name, given, want, authorization] of [
    ["glm", "https://api.z.ai/api/paas/v4/chat/completions", "https://api.z.ai/api/paas/v4/web_search", ""],
    ["glm", "https://api.z.ai/", "https://api.z.ai/api/paas/v4/web_search", ""],
    ["bocha", "https://api.bocha.cn", "https://api.bocha.cn/v1/web-search", ""],
    ["brave", "https://api.search.brave.com/res/v1/", "https://api.search.brave.com/res/v1/web/search", ""],
    ["searxng", "https://s.example.org/search", "https://s.example.org/search", ""],
    ["searxng", "https://u:p%40w@s.example.org/sx", "https://s.example.org/sx/search", `Basic ${btoa("u:p@w")}`],
  ]) {
    const got = endpoint(row(name), given);
    assert.deepEqual([got.url.href, got.authorization], [want, authorization]);
  }
});

test("the container is told the provider's name and no key", () => {
  for (const [vars, want] of /** @type {[Record<string, string>, string][]} */ ([
    [{}, "none"],
    [{ EXA_API_KEY: secret, GLM_API_KEY: secret }, "exa"],
    [{ ZAI_API_KEY: secret }, "glm"],
    [{ SEARXNG_URL: `https://u:${secret}@s.example.org` }, "searxng"],
    [{ EXA_API_KEY: secret, WEB_SEARCH_PROVIDER: "none" }, "none"],
    [{ EXA_API_KEY: secret, WEB_SEARCH_PROVIDER: " Brave" }, "brave"],
    [{ EXA_API_KEY: secret, WEB_SEARCH_PROVIDER: "google" }, "none"], // the agent would not start with it
  ])) {
    const given = containerEnv(environment(vars), "key", "name");
    assert.equal(given.WEB_SEARCH_PROVIDER, want);
    assert.equal(searchProvider(environment(vars)) || "none", want);
    assert.ok(!JSON.stringify(given).includes(secret));
  }
});
