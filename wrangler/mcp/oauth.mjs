/**
 * An authorization for a server of tools, as the protocol wants it: discovery, PKCE, the
 * issuer of an answer (RFC 9207), renewal. The library knows OAuth; here stands in which
 * order, and which addresses are reached: all are the server's to choose, and judged.
 */
import * as oauth from "oauth4webapi";
import { bounded } from "../egress/bytes.mjs";
import { bearer } from "./challenge.mjs";
import { serverAddress } from "./entry.mjs";
import { send, Unreached } from "./reach.mjs";

/** What an authorization server says of itself may be so long, and take so long. */
const maxSettings = 1 << 20;
const waitMs = 10_000;
const maxSaid = 60;

/**
 * @typedef {object} Applicant how we are known to authorization servers
 * @property {string} callback where they send a person back to
 * @property {string} [document] the address of the document that says who asks
 */
/**
 * @typedef {object} Known what a token is asked for with
 * @property {oauth.AuthorizationServer} as
 * @property {{client_id: string, token_endpoint_auth_method?: string}} client
 * @property {string} [secret]
 * @property {string} resource
 * @property {string[]} scopes
 */
/** @typedef {{access: string, refresh?: string, expires?: number}} Tokens expires: in Unix milliseconds */
/** @typedef {{status: number, header: string}} Challenge how a server has refused a request */

/**
 * The library's way to the net: its requests go where we may go, and what comes back is bounded.
 * @param {Set<string>} privates
 */
function way(privates) {
  /** @param {string} url @param {{method: string, headers: Record<string, string>, body?: any}} init */
  const reach = async (url, init) => {
    const first = serverAddress(url, privates);
    if (!(first instanceof URL)) throw new Unreached("its authorization server has an address that is not reached");
    const what = { method: init.method, headers: new Headers(init.headers), body: init.body, signal: AbortSignal.timeout(waitMs) };
    // Only what holds no secret is sent on to where an answer leads.
    const answer = init.method === "GET" ? (await send(first, what, [], privates)).answer : await fetch(first.href, { ...what, redirect: "manual" });
    const body = await bounded(answer.body, maxSettings);
    if (body === null) throw new Unreached("its authorization server sent too much");
    return new Response(answer.status === 204 || answer.status === 304 ? null : body, { status: answer.status, headers: answer.headers });
  };
  return { [oauth.customFetch]: reach, [oauth.allowInsecureRequests]: true }; // plain HTTP goes where the owner listed it: the address was judged
}

/**
 * Which authorization server speaks for a server of tools, and for which resource.
 * @param {URL} server
 * @param {Record<string, string>} challenge
 * @param {Set<string>} privates
 * @returns {Promise<{issuer: URL, resource: string, scopes: string[]}>}
 */
async function resourceOf(server, challenge, privates) {
  const { [oauth.customFetch]: reach } = way(privates);
  const root = new URL(server.origin);
  const at = (/** @type {string} */ path) => new URL(`/.well-known/oauth-protected-resource${path}`, server).href + server.search;
  const candidates = [
    ...(challenge.resource_metadata ? [{ url: challenge.resource_metadata, resource: server }] : []),
    ...(server.pathname === "/" ? [] : [{ url: at(server.pathname), resource: server }]),
    { url: at(""), resource: root },
  ];
  for (const { url, resource } of candidates) {
    let found;
    try {
      const answer = await reach(url, { method: "GET", headers: { accept: "application/json" } });
      found = await oauth.processResourceDiscoveryResponse(resource, answer);
    } catch {
      continue; // it has none there
    }
    const [issuer] = found.authorization_servers ?? [];
    if (!issuer || !URL.canParse(issuer)) throw new Unreached("it names no authorization server");
    return { issuer: new URL(issuer), resource: found.resource, scopes: found.scopes_supported ?? [] };
  }
  return { issuer: root, resource: server.href, scopes: [] }; // as before the revision of 2025-06-18
}

/**
 * What an authorization server says of itself.
 * @param {URL} issuer
 * @param {Set<string>} privates
 * @returns {Promise<oauth.AuthorizationServer>}
 */
async function metadataOf(issuer, privates) {
  const { [oauth.customFetch]: reach } = way(privates);
  const path = issuer.pathname.replace(/\/+$/, "");
  const places = [`/.well-known/oauth-authorization-server${path}`, `/.well-known/openid-configuration${path}`, ...(path ? [`${path}/.well-known/openid-configuration`] : [])];
  for (const place of places) {
    const answer = await reach(new URL(place, issuer).href, { method: "GET", headers: { accept: "application/json" } });
    if (answer.status >= 400 && answer.status < 500) continue;
    const as = await oauth.processDiscoveryResponse(issuer, answer);
    if (!as.code_challenge_methods_supported?.includes("S256")) throw new Unreached("its authorization server does not offer PKCE with S256");
    return as;
  }
  const at = (/** @type {string} */ name) => new URL(name, `${issuer.origin}${path}/`).href;
  return { issuer: issuer.origin + path, authorization_endpoint: at("authorize"), token_endpoint: at("token"), registration_endpoint: at("register") };
}

/**
 * How we are known to this authorization server: by our document, as the owner has
 * registered us, or by a registration of now.
 * @param {oauth.AuthorizationServer} as
 * @param {Applicant} applicant
 * @param {{id: string, secret?: string} | undefined} registered
 * @param {Set<string>} privates
 * @returns {Promise<Pick<Known, "client" | "secret">>}
 */
async function clientOf(as, applicant, registered, privates) {
  if (applicant.document && as.client_id_metadata_document_supported) return { client: { client_id: applicant.document, token_endpoint_auth_method: "none" } };
  if (registered) {
    const method = registered.secret ? (as.token_endpoint_auth_methods_supported?.includes("client_secret_post") ? "client_secret_post" : "client_secret_basic") : "none";
    return { client: { client_id: registered.id, token_endpoint_auth_method: method }, secret: registered.secret };
  }
  if (!as.registration_endpoint) throw new Unreached("its authorization server takes no registration; the owner can register a client and name it in oauth of the instance's entry");
  const answer = await oauth.dynamicClientRegistrationRequest(as, {
    client_name: "LoongClaw", redirect_uris: [applicant.callback], grant_types: ["authorization_code", "refresh_token"], response_types: ["code"],
    application_type: /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:|\/)/.test(applicant.callback) ? "native" : "web",
  }, way(privates));
  const made = answer.status === 200 ? new Response(answer.body, { status: 201, headers: answer.headers }) : answer; // as some do
  const got = await oauth.processDynamicClientRegistrationResponse(made);
  const secret = typeof got.client_secret === "string" ? got.client_secret : undefined;
  const method = typeof got.token_endpoint_auth_method === "string" ? got.token_endpoint_auth_method : secret ? "client_secret_basic" : "none";
  return { client: { client_id: String(got.client_id), token_endpoint_auth_method: method }, secret };
}

/**
 * How a server refuses who asks without an authorization; nothing where it does not.
 * @param {URL} server
 * @param {Record<string, string>} own its headers
 * @param {Set<string>} privates
 * @returns {Promise<Challenge | undefined>}
 */
export async function challengeOf(server, own, privates) {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "initialize", params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "loongclaw", version: "1" } } });
  const headers = new Headers({ "content-type": "application/json", accept: "application/json, text/event-stream" });
  let got;
  try {
    got = await send(server, { method: "POST", headers, body, signal: AbortSignal.timeout(waitMs) }, Object.entries(own), privates);
  } catch (cause) {
    throw cause instanceof Unreached ? cause : new Unreached("it cannot be reached, or its certificate does not hold");
  }
  const { answer, home } = got;
  await answer.body?.cancel();
  const header = answer.headers.get("www-authenticate") ?? "";
  if (!home || (answer.status !== 401 && !(answer.status === 403 && bearer(header).error === "insufficient_scope"))) return undefined;
  return { status: answer.status, header };
}

/** @param {Known} known */
function authOf({ client, secret }) {
  if (!secret || client.token_endpoint_auth_method === "none") return oauth.None();
  return client.token_endpoint_auth_method === "client_secret_post" ? oauth.ClientSecretPost(secret) : oauth.ClientSecretBasic(secret);
}

/**
 * Begins an authorization: where a person gives it, and what to keep until they are back.
 * @param {URL} server
 * @param {Challenge} challenge
 * @param {Applicant} applicant
 * @param {{id: string, secret?: string} | undefined} registered
 * @param {string[]} granted scopes that were granted before
 * @param {string} state
 * @param {Set<string>} privates
 * @returns {Promise<{location: string, known: Known, verifier: string}>}
 */
export async function begin(server, challenge, applicant, registered, granted, state, privates) {
  const asked = bearer(challenge.header);
  const { issuer, resource, scopes } = await resourceOf(server, asked, privates);
  const as = await metadataOf(issuer, privates);
  const client = await clientOf(as, applicant, registered, privates);
  const wanted = new Set(asked.scope ? asked.scope.split(/\s+/).filter(Boolean) : scopes);
  if (challenge.status === 403) for (const scope of granted) wanted.add(scope); // beside what lacks
  if (as.scopes_supported?.includes("offline_access")) wanted.add("offline_access");
  const to = serverAddress(as.authorization_endpoint, privates);
  if (!(to instanceof URL)) throw new Unreached("its authorization server sends people to an address that is not reached");
  const verifier = oauth.generateRandomCodeVerifier();
  const parameters = {
    response_type: "code", client_id: client.client.client_id, redirect_uri: applicant.callback, state, resource,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256",
  };
  for (const [name, value] of Object.entries(parameters)) to.searchParams.set(name, value);
  if (wanted.size > 0) to.searchParams.set("scope", [...wanted].join(" "));
  return { location: to.href, known: { as: kept(as), ...client, resource, scopes: [...wanted] }, verifier };
}

/** What of an authorization server's word is needed later. @param {oauth.AuthorizationServer} as @returns {oauth.AuthorizationServer} */
function kept({ issuer, token_endpoint, authorization_response_iss_parameter_supported, jwks_uri }) {
  return { issuer, token_endpoint, authorization_response_iss_parameter_supported, jwks_uri };
}

/**
 * Ends an authorization: a code becomes tokens.
 * @param {Known} known
 * @param {string} verifier
 * @param {string} state
 * @param {string} callback
 * @param {URLSearchParams} query with which a person came back
 * @param {Set<string>} privates
 */
export async function redeem(known, verifier, state, callback, query, privates) {
  const { as, client } = known;
  const valid = oauth.validateAuthResponse(as, client, query, state);
  const answer = await oauth.authorizationCodeGrantRequest(as, client, authOf(known), valid, callback, verifier, { additionalParameters: { resource: known.resource }, ...way(privates) });
  return tokensOf(await oauth.processAuthorizationCodeResponse(as, client, answer));
}

/**
 * @param {Known} known
 * @param {string} refresh
 * @param {Set<string>} privates
 */
export async function renew(known, refresh, privates) {
  const { as, client } = known;
  const answer = await oauth.refreshTokenGrantRequest(as, client, authOf(known), refresh, { additionalParameters: { resource: known.resource }, ...way(privates) });
  return tokensOf(await oauth.processRefreshTokenResponse(as, client, answer));
}

/** @param {oauth.TokenEndpointResponse} got @returns {Tokens} */
function tokensOf({ access_token, refresh_token, expires_in, token_type }) {
  if (token_type !== "bearer") throw new Unreached("its authorization server gives a token of a kind that is not spoken");
  return { access: access_token, refresh: refresh_token, expires: expires_in === undefined ? undefined : Date.now() + expires_in * 1000 };
}

/**
 * Whether an authorization server has said no, and not only failed.
 * @param {unknown} cause
 */
export function saidNo(cause) {
  return (cause instanceof oauth.ResponseBodyError || cause instanceof oauth.WWWAuthenticateChallengeError) && cause.status >= 400 && cause.status < 500;
}

/**
 * Why an authorization came to nothing. What an authorization server sends may hold
 * secrets: of its words only the code of the error is said.
 * @param {unknown} cause
 */
export function why(cause) {
  if (cause instanceof Unreached) return cause.message;
  if (cause instanceof oauth.ResponseBodyError) return `its authorization server gives no token (${plain(cause.error)})`;
  if (cause instanceof oauth.WWWAuthenticateChallengeError) return `its authorization server gives no token (status ${cause.status})`;
  if (cause instanceof oauth.OperationProcessingError || cause instanceof oauth.UnsupportedOperationError) return `the answer of the authorization server is not what was asked for (${cause.code ?? "invalid"})`;
  if (cause instanceof DOMException && cause.name === "TimeoutError") return "its authorization server did not answer in time";
  return "its authorization server cannot be reached";
}

/** @param {unknown} text */
export function plain(text) {
  return String(text).replace(/[^\x20-\x7e]/g, "?").slice(0, maxSaid);
}
