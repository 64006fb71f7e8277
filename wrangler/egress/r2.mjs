/**
 * The egress proxy's part to the store: answers the S3 calls that the agent makes from the
 * R2 binding, each for one user's part of the bucket. No S3 keys have to be made.
 */
import { allowed, hidden, within } from "./keys.mjs";
import { listing, problem } from "./s3xml.mjs";

/** The largest object, for writing and for reading: as agent/bucket, MaxObject. */
const maxObject = 32 << 20;

/**
 * @param {Request} request path-style S3: /BUCKET/KEY
 * @param {R2Bucket | undefined} store
 * @param {string} part the user's segment
 * @returns {Promise<Response>}
 */
export async function r2(request, store, part) {
  if (!store) return problem(500, "InternalError", "the binding STORE is missing");
  const url = new URL(request.url);
  const match = /^\/[^/]+(?:\/(.*))?$/.exec(url.pathname);
  const key = match && decode(match[1] ?? "");
  if (key === null || key === undefined) return problem(400, "InvalidURI", "the path cannot be read");
  if (key === "") return request.method === "GET" ? list(url.searchParams, store, part) : problem(405, "MethodNotAllowed", "a bucket can only be listed");
  const write = request.method === "PUT" || request.method === "DELETE";
  const refusal = allowed(key, part, write, request.method === "PUT" ? request.headers.get("if-none-match") : "*");
  if (refusal) return problem(403, "AccessDenied", refusal);
  if (hidden(key) && request.method === "PUT") return problem(403, "AccessDenied", "secrets are the Worker's to keep");
  switch (request.method) {
    case "GET":
    case "HEAD":
      if (hidden(key)) return problem(404, "NoSuchKey", "there is no such object");
      return read(request.method, key, store);
    case "PUT":
      return put(request, key, store);
    case "DELETE":
      await store.delete(key);
      return new Response(null, { status: 204 });
  }
  return problem(405, "MethodNotAllowed", "the egress proxy knows GET, HEAD, PUT and DELETE");
}

/**
 * @param {string} method
 * @param {string} key
 * @param {R2Bucket} store
 */
async function read(method, key, store) {
  const object = method === "HEAD" ? await store.head(key) : await store.get(key);
  if (!object) return problem(404, "NoSuchKey", "there is no such object");
  const headers = { ETag: object.httpEtag, "Last-Modified": object.uploaded.toUTCString(), "Content-Length": String(object.size) };
  return new Response("body" in object ? /** @type {R2ObjectBody} */ (object).body : null, { headers });
}

/**
 * @param {Request} request
 * @param {string} key
 * @param {R2Bucket} store
 */
async function put(request, key, store) {
  if (Number(request.headers.get("content-length") ?? 0) > maxObject) return problem(413, "EntityTooLarge", "the object is too large");
  const body = await request.arrayBuffer();
  if (body.byteLength > maxObject) return problem(413, "EntityTooLarge", "the object is too large");
  const condition = new Headers();
  for (const name of ["if-none-match", "if-match"]) {
    const value = request.headers.get(name);
    // R2 refuses what stands without quotes, though no object can have that tag.
    if (value !== null) condition.set(name, value === "*" || value.startsWith('"') ? value : `"${value}"`);
  }
  const object = await store.put(key, body, { onlyIf: condition });
  if (!object) return problem(412, "PreconditionFailed", "the condition does not hold");
  return new Response(null, { headers: { ETag: object.httpEtag } });
}

/**
 * @param {URLSearchParams} query
 * @param {R2Bucket} store
 * @param {string} part the user's segment
 */
async function list(query, store, part) {
  if (query.get("list-type") !== "2") return problem(400, "InvalidArgument", "the egress proxy lists with list-type=2");
  const prefix = within(query.get("prefix") ?? "", part);
  if (prefix === undefined) return problem(403, "AccessDenied", "that is another's part of the store");
  const limit = Math.min(Math.max(Number(query.get("max-keys") ?? 1000) || 1000, 1), 1000);
  const found = await store.list({
    prefix,
    limit,
    startAfter: query.get("start-after") ?? undefined,
    cursor: query.get("continuation-token") ?? undefined,
  });
  return listing(prefix, limit, found);
}

/**
 * @param {string} text
 * @returns {string | undefined}
 */
function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
