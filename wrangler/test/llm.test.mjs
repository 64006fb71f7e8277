import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, beforeEach, test } from "node:test";
import { containerEnv } from "../container/environment.mjs";
import { llm, messagesEndpoint } from "../egress/llm.mjs";

const secret = "sk-ant-secret";
/** @type {import("node:http").Server} */
let provider;
/** @type {{url: string, headers: import("node:http").IncomingHttpHeaders, body: string}[]} */
let seen = [];
let port = 0;
const real = globalThis.fetch;

before(async () => {
  provider = createServer(async (request, response) => {
    let body = "";
    for await (const piece of request) body += piece;
    seen.push({ url: `${request.headers.host}${request.url}`, headers: request.headers, body });
    response.writeHead(200, { "content-type": "text/event-stream", "request-id": "req_1", "anthropic-organization-id": "the owner's", "set-cookie": "a=b" });
    response.end("event: ping\ndata: {}\n\n");
  });
  await new Promise((done) => provider.listen(0, "127.0.0.1", () => done(undefined)));
  ({ port } = /** @type {import("node:net").AddressInfo} */ (provider.address()));
  // Anthropic itself is this server, too. Node wants to be told that a body comes in pieces; Workers know.
  globalThis.fetch = (to, init) =>
    real(String(to).replace(/^https:\/\/api\.anthropic\.com/, `http://127.0.0.1:${port}`), /** @type {RequestInit} */ ({ ...init, duplex: "half" }));
});

beforeEach(() => {
  seen = [];
});

after(() => {
  globalThis.fetch = real;
  provider.closeAllConnections();
  provider.close();
});

/** @param {Record<string, string>} vars */
const environment = (vars) => /** @type {Env} */ (/** @type {unknown} */ (vars));

/**
 * @param {string} path
 * @param {Record<string, string>} [vars]
 * @param {RequestInit} [init]
 */
const ask = (path, vars = {}, init = {}) =>
  llm(
    new Request(`http://llm.internal${path}`, {
      method: "POST",
      body: `{"model":"m","messages":[]}`,
      headers: {
        "content-type": "application/json", accept: "text/event-stream", "anthropic-version": "2023-06-01", "anthropic-beta": "some-beta",
        "x-api-key": "the container's", authorization: "Bearer the container's", cookie: "a=b", "anthropic-dangerous-direct-browser-access": "true",
      },
      ...init,
    }),
    environment({ ANTHROPIC_API_KEY: secret, OPENAI_API_KEY: "other", ...vars }),
  );

test("Anthropic's own protocol goes to Anthropic with the Worker's key in its own header", async () => {
  const answer = await ask("/anthropic/messages");
  assert.equal(answer.status, 200);
  assert.equal(await answer.text(), "event: ping\ndata: {}\n\n");
  assert.deepEqual([...answer.headers.keys()].sort(), ["content-type", "request-id"]);
  const [one] = seen;
  assert.equal(seen.length, 1);
  assert.match(one.url, /\/v1\/messages$/);
  assert.equal(one.body, `{"model":"m","messages":[]}`);
  assert.equal(one.headers["x-api-key"], secret);
  assert.equal(one.headers["anthropic-version"], "2023-06-01");
  assert.equal(one.headers["anthropic-beta"], "some-beta");
  for (const name of ["authorization", "cookie", "anthropic-dangerous-direct-browser-access"]) assert.equal(one.headers[name], undefined, name);
});

test("an imitation of Anthropic gets the key in both headers", async () => {
  await ask("/anthropic/messages", { ANTHROPIC_BASE_URL: `http://127.0.0.1:${port}/gateway` });
  assert.match(seen[0].url, /\/gateway\/v1\/messages$/);
  assert.equal(seen[0].headers["x-api-key"], secret);
  assert.equal(seen[0].headers["authorization"], `Bearer ${secret}`);
});

test("OpenAI's protocol stays open, with the key as a bearer's", async () => {
  for (const base of ["", `http://127.0.0.1:${port}/v1/chat/completions`, `http://127.0.0.1:${port}/v1/messages`, `http://127.0.0.1:${port}`]) {
    seen = [];
    const answer = await ask("/anthropic/chat/completions", { ANTHROPIC_BASE_URL: base });
    assert.equal(answer.status, 200);
    assert.match(seen[0].url, /:\d+\/v1\/chat\/completions$/, base);
    assert.equal(seen[0].headers["authorization"], `Bearer ${secret}`);
    assert.equal(seen[0].headers["x-api-key"], undefined);
  }
});

test("nothing else is reached", async () => {
  for (const path of ["/anthropic/messages/batches", "/anthropic/messages/count_tokens", "/anthropic/v1/models", "/anthropic/files", "/openai/messages", "/anthropic//messages", "/anthropic/messages/", "/claude/messages", "/messages"]) {
    assert.equal((await ask(path)).status, 404, path);
  }
  assert.equal((await ask("/anthropic/messages", { ANTHROPIC_API_KEY: "" })).status, 404);
  assert.equal((await ask("/anthropic/messages", {}, { method: "GET", body: undefined })).status, 405);
  assert.equal(seen.length, 0);
});

test("a request without a length that breaks off does not reach a provider as if it were whole", async () => {
  const before = seen.length;
  const body = new ReadableStream({ start: (to) => to.enqueue(new TextEncoder().encode("{}")), pull: (to) => to.error(new Error("gone")) });
  const answer = await llm(new Request("http://llm.internal/anthropic/messages", { method: "POST", body, duplex: "half" }), environment({ ANTHROPIC_API_KEY: secret }));
  assert.deepEqual([answer.status, seen.length], [400, before]);
});

test("every form of an address leads to the messages", () => {
  for (const [base, want] of [
    ["https://api.anthropic.com", "https://api.anthropic.com/v1/messages"],
    ["https://api.anthropic.com/", "https://api.anthropic.com/v1/messages"],
    [" https://api.anthropic.com/v1/ ", "https://api.anthropic.com/v1/messages"],
    ["https://h/v1/messages", "https://h/v1/messages"],
    ["https://h/v1/chat/completions", "https://h/v1/messages"],
    ["https://h/anthropic?key=a#x", "https://h/anthropic/v1/messages?key=a"],
    ["https://h/anthropic/v1", "https://h/anthropic/v1/messages"],
  ]) {
    assert.equal(messagesEndpoint(base), want, base);
  }
});

test("a container knows how to speak to Anthropic, and no secret of it", () => {
  /** @param {Record<string, string>} vars */
  const given = (vars) => containerEnv(environment({ ANTHROPIC_API_KEY: secret, ...vars }), "k", "i");
  const plain = given({ ANTHROPIC_BASE_URL: "https://user:password@h/v1?key=secret" });
  assert.equal(plain.ANTHROPIC_BASE_URL, "https://h");
  assert.equal(plain.ANTHROPIC_PROTOCOL, undefined);
  assert.doesNotMatch(JSON.stringify(plain), /secret|password/);
  assert.equal(given({}).ANTHROPIC_BASE_URL, undefined);
  assert.equal(given({ ANTHROPIC_PROTOCOL: "openai" }).ANTHROPIC_PROTOCOL, "openai");
  assert.equal(given({ ANTHROPIC_API_URL: "https://h/v1/chat/completions/" }).ANTHROPIC_PROTOCOL, "openai");
  assert.equal(given({ ANTHROPIC_BASE_URL: "https://h/v1/chat/completions", ANTHROPIC_PROTOCOL: "messages" }).ANTHROPIC_PROTOCOL, "messages");
});
