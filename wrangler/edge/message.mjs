/**
 * The text that crosses between JavaScript and Go: fields joined by NUL, which
 * neither URLs nor headers can hold. The other end is gateway/host/workers/message.go.
 */

const sep = "\0";

/** @typedef {{key: string, allowed: boolean, remaining: number, resetMs: number, retryMs: number}} LimitAnswer */
/** @typedef {{key: string, class: string, n: number, per: number, onlyReads?: boolean}} LimitQuestion */
/** @typedef {{requestId: string, route: string, header: [string, string][]}} Common */
/** @typedef {Common & {kind: "respond", status: number, stamp: string, body: string}} Respond */
/** @typedef {Common & {kind: "asset", name: string, status: number}} Asset */
/** @typedef {Common & {kind: "forward", agent: string, user: string, method: string, target: string, maxBody: number, stream: boolean, pausable: boolean, admin: boolean, set: [string, string][], drop: string[]}} Forward */
/** @typedef {Common & {kind: "socket", identity: string, subprotocol: string, maxFrame: number}} Socket */
/** @typedef {Common & {kind: "limit", question: LimitQuestion}} AskLimit */
/** @typedef {Common & {kind: "body", max: number}} AskBody */
/** @typedef {Common & {kind: "spend", key: string, user: string, until: number}} AskSpend */
/** @typedef {Common & {kind: "keys", url: string, refresh: boolean}} AskKeys */
/** @typedef {Common & {kind: "ready"}} AskReady */
/** @typedef {Common & {kind: "agent", user: string}} AskAgent */
/** @typedef {{user: string, scopes: string[] | null, expires?: number}} Identity who a socket speaks for */
/** @typedef {{agent: string, method: string, target: string, set: [string, string][], body?: string, session: string, then: "nothing" | "follow" | "relay" | "history" | "cleared"}} Call */
/** @typedef {{send?: string[], call?: Call, close?: {code: number, reason: string}, limit?: LimitQuestion}} FrameDecision */
/** @typedef {Respond | Asset | Forward | Socket | AskLimit | AskBody | AskSpend | AskKeys | AskReady | AskAgent} Decision */

/**
 * What the core asked for, and the id that it gave the request.
 * @typedef {{requestId: string, limits: LimitAnswer[], spent: {key: string, first: boolean}[], keys?: {json: string, refreshed: boolean}, agent?: string, body?: string, place?: import("../objects/agents.mjs").Place}} Facts
 */

/** Asks the core to run once what requests run. */
export function encodeWarm() {
  return "warm";
}

/**
 * Only strings cross: bindings are objects, and stay here.
 * @param {Env} env
 * @param {string} passKey what PASS_PRIVATE_KEY is when the owner has set none
 */
export function encodeConfigure(env, passKey) {
  const fields = ["configure"];
  for (const [name, value] of Object.entries({ ...env, PASS_PRIVATE_KEY: passKey })) {
    if (typeof value === "string") fields.push(name, value.replaceAll(sep, ""));
  }
  return fields.join(sep);
}

/** @param {Identity} identity */
export function encodeConnected(identity) {
  return ["connected", JSON.stringify(identity)].join(sep);
}

/**
 * @param {Identity} identity
 * @param {string} session
 */
export function encodeFollow(identity, session) {
  return ["follow", JSON.stringify(identity), session].join(sep);
}

/** @param {Identity} identity */
export function encodeExpired(identity) {
  return ["expired", JSON.stringify(identity)].join(sep);
}

/**
 * @param {string} session
 * @param {number} status
 * @param {string} body
 */
export function encodeRefusal(session, status, body) {
  return ["refusal", session, String(status), body].join(sep);
}

/**
 * @param {string} session
 * @param {string} kind
 */
export function encodeFailure(session, kind) {
  return ["failure", session, kind].join(sep);
}

/** Asks for the public half of the gateway's key. */
export function encodeKey() {
  return "key";
}

/**
 * @param {Identity} identity
 * @param {string | ArrayBuffer} frame
 * @param {LimitAnswer[]} limits
 */
export function encodeFrame(identity, frame, limits) {
  const binary = typeof frame !== "string";
  const fields = ["frame", JSON.stringify(identity), flag(binary), ...limitFields(limits)];
  fields.push(binary ? new TextDecoder().decode(frame) : frame);
  return fields.join(sep);
}

/** @param {LimitAnswer[]} limits */
function limitFields(limits) {
  const fields = [String(limits.length)];
  for (const a of limits) {
    fields.push(a.key, flag(a.allowed), String(a.remaining), String(a.resetMs), String(a.retryMs));
  }
  return fields;
}

/**
 * @param {Request} request
 * @param {Facts} facts
 */
export function encodeDecide(request, facts) {
  const url = new URL(request.url);
  const { pairs, count, host, address, length } = readHeader(request);
  const fields = [
    "decide",
    request.method,
    url.pathname + url.search,
    host ?? url.host,
    flag(url.protocol === "https:"),
    address,
    request.body === null ? "0" : length,
    facts.requestId,
    ...limitFields(facts.limits),
  ];
  fields.push(String(facts.spent.length));
  for (const { key, first } of facts.spent) fields.push(key, flag(first));
  fields.push(flag(facts.keys !== undefined));
  if (facts.keys) fields.push(flag(facts.keys.refreshed), facts.keys.json);
  fields.push(facts.agent ?? "");
  fields.push(String(count) + pairs, flag(facts.body !== undefined), facts.body ?? "");
  return fields.join(sep);
}

/**
 * A request's header in one walk: each look at a Headers object is a call into the runtime.
 * @param {Request} request
 */
function readHeader({ headers }) {
  /** @type {{pairs: string, count: number, host?: string, address: string, length: string}} */
  const said = { pairs: "", count: 0, address: "", length: "-1" };
  // Never split a value on commas: dates and cookies hold them.
  headers.forEach((value, name) => {
    said.pairs += sep + name + sep + value;
    said.count++;
    if (name === "host") said.host = value;
    else if (name === "cf-connecting-ip") said.address = value;
    else if (name === "content-length" && /^\d{1,15}$/.test(value)) said.length = value;
  });
  return said;
}

/** @param {boolean} value */
function flag(value) {
  return value ? "1" : "";
}

/**
 * @param {string} kind what failed; gateway/host/workers/failure.go has the words
 * @param {string} requestId
 * @param {string} target what was asked for
 */
export function encodeFail(kind, requestId, target) {
  return ["fail", kind, requestId, target].join(sep);
}

/**
 * @param {string} text
 * @returns {Decision}
 */
export function decode(text) {
  const fields = new Fields(text);
  const kind = fields.text();
  const common = { requestId: fields.text(), route: fields.text(), header: fields.pairs() };
  switch (kind) {
    case "respond":
      return { kind, ...common, status: fields.number(), stamp: fields.text(), body: fields.rest() };
    case "asset":
      return { kind, ...common, name: fields.text(), status: fields.number() };
    case "forward":
      return {
        kind, ...common, agent: fields.text(), user: fields.text(), method: fields.text(), target: fields.text(), maxBody: fields.number(),
        stream: fields.text() === "1", pausable: fields.text() === "1", admin: fields.text() === "1", set: fields.pairs(), drop: fields.list(),
      };
    case "socket":
      return { kind, ...common, identity: fields.text(), subprotocol: fields.text(), maxFrame: fields.number() };
    case "limit":
      return {
        kind, ...common,
        question: { key: fields.text(), class: fields.text(), n: fields.number(), per: fields.number(), onlyReads: fields.text() === "1" },
      };
    case "body":
      return { kind, ...common, max: fields.number() };
    case "spend":
      return { kind, ...common, key: fields.text(), user: fields.text(), until: fields.number() };
    case "keys":
      return { kind, ...common, url: fields.text(), refresh: fields.text() === "1" };
    case "agent":
      return { kind, ...common, user: fields.text() };
    case "ready":
      return { kind, ...common };
  }
  throw new Error(`the core decided ${JSON.stringify(kind)}, which this Worker does not know; build both from one commit`);
}

class Fields {
  /** @param {string} text */
  constructor(text) {
    this.fields = text.split(sep);
    this.next = 0;
  }

  text() {
    const field = this.fields[this.next++];
    if (field === undefined) throw new Error("the core's decision is cut short");
    return field;
  }

  number() {
    return Number(this.text());
  }

  /** @returns {[string, string][]} */
  pairs() {
    /** @type {[string, string][]} */
    const pairs = [];
    for (let n = this.number(); n > 0; n--) pairs.push([this.text(), this.text()]);
    return pairs;
  }

  list() {
    /** @type {string[]} */
    const list = [];
    for (let n = this.number(); n > 0; n--) list.push(this.text());
    return list;
  }

  rest() {
    return this.fields.slice(this.next).join(sep);
  }
}
