import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { answeredHeader, target, web } from "../egress/web.mjs";

/** @type {import("node:http").Server} */
let site;
/** @type {{url: string, headers: import("node:http").IncomingHttpHeaders}[]} */
const seen = [];
const real = globalThis.fetch;

before(async () => {
  site = createServer((request, response) => {
    seen.push({ url: request.url ?? "", headers: request.headers });
    if (request.url === "/moved") return response.writeHead(302, { location: "http://10.0.0.1/", "set-cookie": "a=b" }).end();
    if (request.url === "/large") return response.writeHead(200, { "content-length": String(6 << 20) }).end(Buffer.alloc(6 << 20));
    if (request.url === "/endless") {
      response.writeHead(200, { "content-type": "text/plain" });
      const more = () => {
        while (response.write(Buffer.alloc(64 << 10, "x")));
      };
      response.on("drain", more);
      return more();
    }
    response.writeHead(200, { "content-type": "text/html; charset=utf-8", "set-cookie": "a=b", server: "secret", "last-modified": "Mon, 02 Mar 2026 10:00:00 GMT" });
    response.end("<p>熊大</p>");
  });
  await new Promise((done) => site.listen(0, "127.0.0.1", () => done(undefined)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (site.address());
  // Every name is the site's.
  globalThis.fetch = (to, init) => real(String(to).replace(/^https?:\/\/[^/]+/, `http://127.0.0.1:${port}`), init);
});

after(() => {
  globalThis.fetch = real;
  site.closeAllConnections();
  site.close();
});

/**
 * @param {string} url
 * @param {RequestInit} [init]
 */
const ask = (url, init) => web(new Request(`http://web.internal/?url=${encodeURIComponent(url)}`, init));

test("a page comes as it is, and only what the agent needs of both heads passes", async () => {
  const answer = await ask("https://bears.example.org/page?a=1#top", { headers: { cookie: "secret", authorization: "secret", "x-loongclaw-door": "secret", "user-agent": "LoongClaw", accept: "text/html" } });
  assert.equal(answer.status, 200);
  assert.equal(await answer.text(), "<p>熊大</p>");
  assert.deepEqual([...answer.headers.keys()].sort(), ["content-type", "last-modified", answeredHeader.toLowerCase()].sort());
  const got = seen.at(-1);
  assert.equal(got?.url, "/page?a=1");
  assert.deepEqual([got?.headers.cookie, got?.headers.authorization, got?.headers["x-loongclaw-door"]], [undefined, undefined, undefined]);
  assert.deepEqual([got?.headers["user-agent"], got?.headers.accept], ["LoongClaw", "text/html"]);
});

test("a redirect is the agent's to judge", async () => {
  const answer = await ask("https://bears.example.org/moved");
  assert.deepEqual([answer.status, answer.headers.get("location"), answer.headers.get("set-cookie")], [302, "http://10.0.0.1/", null]);
});

test("a page that is too large is refused, or breaks off", async () => {
  const said = await ask("https://bears.example.org/large");
  assert.deepEqual([said.status, said.headers.get(answeredHeader)], [502, null]);
  const endless = await ask("https://bears.example.org/endless");
  assert.equal(endless.status, 200);
  await assert.rejects(endless.text());
});

test("what is not on the public internet is refused before anything is sent", async () => {
  const before = seen.length;
  for (const url of [
    "", "nonsense", "file:///etc/passwd", "ftp://example.org/", "javascript:1", "http://user:secret@example.org/", "http://example.org:22/", "http://example.org:8787/",
    "http://127.0.0.1/", "http://127.1/", "http://0x7f000001/", "http://2130706433/", "http://0177.0.0.1/", "http://１２７.0.0.1/", "http://[::1]/", "http://[::ffff:169.254.169.254]/", "http://169.254.169.254/",
    "http://localhost/", "http://LOCALHOST./", "http://intranet/", "http://r2.internal/", "http://metadata.google.internal/", "http://printer.local/", "http://1.0.0.127.in-addr.arpa/", "http://x.test./",
  ]) {
    const answer = await ask(url);
    assert.equal(answer.status, 403, url);
    const { error, code } = await answer.json();
    assert.ok(error && code === "web_refused" && !error.includes("secret"), `${url}: ${error}`);
  }
  assert.equal((await ask("https://example.org/", { method: "POST", body: "x" })).status, 405);
  assert.equal(seen.length, before);
});

test("pages of the public internet are let through", () => {
  for (const url of ["https://example.org/", "http://sub.example.co.uk:8080/a?b", "https://例子.中国/"]) assert.ok(target(url) instanceof URL, url);
});
