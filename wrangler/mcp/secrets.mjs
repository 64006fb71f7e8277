/**
 * What is secret of servers of tools, in the object of whose it is: a user's own servers
 * with their headers and authorizations, and in the vault the authorizations of the
 * instance's. Nothing of it leaves but to the egress proxy, which shows it to that server.
 */
import { identityOf, privateHosts, serverAddress } from "./entry.mjs";
import { within } from "../edge/wait.mjs";
import { begin, challengeOf, plain, redeem, renew, saidNo, why } from "./oauth.mjs";

/** @typedef {import("./oauth.mjs").Known} Known */
/** @typedef {import("./oauth.mjs").Tokens} Tokens */
/** @typedef {import("./oauth.mjs").Applicant} Applicant */
/** @typedef {import("./oauth.mjs").Challenge} Challenge */
/** @typedef {{url: string, headers: Record<string, string>}} Declared */
/**
 * A server's row. What was declared last counts until the agent has refused it.
 * @typedef {{taken?: Declared, asked: (Declared & {id: string})[]}} Row
 *   taken: what the agent took last; asked: what it has not answered yet, the latest last
 */
/** @typedef {{id: string, over: Promise<unknown>, end: () => void}} Turn a change of a server that is under way */
/** @typedef {Known & Tokens & {of: string}} Grant of: the server's identity, so that another one of its name gets no token */
/** @typedef {{user: string, name: string, of: string, known: Known, verifier: string, callback: string, until: number}} Flow */
/** @typedef {{token?: string, fault?: string, authorize?: boolean}} Token */
/** @typedef {{status: number, code: string, error: string, hint: string}} Refusal */

/** How long before its end a token is renewed. */
const earlyMs = 30_000;
/** How long a person may take to come back from an authorization server. */
const flowMs = 10 * 60_000;
/** How long an administrator's approval may take to be written. */
const approveMs = 60_000;
/** How long one change of a server waits for the answer to the one before it: a little longer than the agent may take. */
const turnMs = 35_000;
/** Changes of one server whose answers are not known; more are not kept. */
const maxAsked = 8;
const maxServers = 64; // twice what the agent takes: some may be left over
const maxFlows = 16;

export class ServerSecrets {
  /**
   * @param {SyncKvStorage} kv
   * @param {Env} env
   * @param {string} kind of the states that are made here: who comes back is led to this object by it
   */
  constructor(kv, env, kind) {
    this.kv = kv;
    this.privates = privateHosts(env);
    this.kind = kind;
    this.turnMs = turnMs;
    /** @type {Map<string, Turn[]>} the changes of each server that are under way, the first first */
    this.turns = new Map();
    /** @type {Map<string, Promise<Token>>} renewals: a refresh token may count once */
    this.renewing = new Map();
    /** @type {Map<string, Challenge & {of: string}>} how servers refused last */
    this.challenges = new Map();
  }

  /**
   * Waits until every change of a server that came before has been answered, so that the
   * agent hears of changes in the order in which they came here. One without an answer is
   * waited for once, and not by every change that follows: nobody may be left to end it.
   * @param {string} name
   * @returns {Promise<string>} the change's id, for `end`
   */
  async begun(name) {
    const id = crypto.randomUUID();
    const { promise, resolve } = Promise.withResolvers();
    const turns = this.turns.get(name) ?? [];
    const before = turns.at(-1);
    this.turns.set(name, [...turns, { id, over: promise, end: () => resolve(undefined) }]);
    if (before && !(await within(this.turnMs, before.over))) this.ended(name, before.id);
    return id;
  }

  /**
   * A change has been answered: the next one may be.
   * @param {string} name
   * @param {string} id
   */
  ended(name, id) {
    const turns = this.turns.get(name) ?? [];
    turns.find((turn) => turn.id === id)?.end();
    const rest = turns.filter((turn) => turn.id !== id);
    if (rest.length > 0) this.turns.set(name, rest);
    else this.turns.delete(name);
  }

  /**
   * Sets a server up, as long as nobody takes that back.
   * @param {string} name
   * @param {Declared} declared
   * @returns {Promise<string>} the change's id; empty when there are too many servers
   */
  async declare(name, { url, headers }) {
    const id = await this.begun(name);
    const row = this.#row(name);
    if (!row && [...this.kv.list({ prefix: "server " })].length >= maxServers) {
      this.ended(name, id);
      return "";
    }
    this.#put(name, { taken: row?.taken, asked: [...(row?.asked ?? []), { url, headers, id }].slice(-maxAsked) });
    return id;
  }

  /**
   * The agent did not take it: what was before counts again, unless something came after.
   * @param {string} name
   * @param {string} id
   */
  takeBack(name, id) {
    const row = this.#row(name);
    if (row) this.#put(name, { ...row, asked: row.asked.filter((one) => one.id !== id) });
    this.ended(name, id);
  }

  /**
   * The agent took it: nothing is kept of what was before.
   * @param {string} name
   * @param {string} id
   */
  settle(name, id) {
    const row = this.#row(name);
    const at = row?.asked.findIndex((one) => one.id === id) ?? -1;
    if (row && at >= 0) this.#put(name, { taken: { url: row.asked[at].url, headers: row.asked[at].headers }, asked: row.asked.slice(at + 1) });
    this.ended(name, id);
  }

  /** @param {string} name @returns {Declared | undefined} */
  declared(name) {
    const row = this.#row(name);
    const last = row?.asked.at(-1) ?? row?.taken;
    return last && { url: last.url, headers: last.headers };
  }

  /** Removes all that is known of a server. @param {string} name */
  remove(name) {
    this.kv.delete(`server ${name}`);
    this.kv.delete(`grant ${name}`);
    this.challenges.delete(name);
    for (const [key, flow] of this.#flows()) if (flow.name === name) this.kv.delete(key);
  }

  /** Removes all that is known of all servers. */
  clear() {
    for (const kind of ["server ", "grant ", "flow ", "approval "]) for (const [key] of [...this.kv.list({ prefix: kind })]) this.kv.delete(key);
    this.challenges.clear();
  }

  /**
   * What to show a server; nothing where nothing was granted.
   * @param {string} name
   * @param {string} of
   * @returns {Promise<Token>}
   */
  async token(name, of) {
    const grant = this.#grant(name, of);
    if (!grant) return {};
    if (grant.expires === undefined || Date.now() + earlyMs < grant.expires || !grant.refresh) return { token: grant.access };
    return this.#renewed(name, of);
  }

  /**
   * Another token than the one that the server has refused, where there is one to be had.
   * @param {string} name
   * @param {string} of
   * @param {string} refused
   * @returns {Promise<Token>}
   */
  async another(name, of, refused) {
    const grant = this.#grant(name, of);
    if (!grant) return {};
    if (grant.access !== refused) return { token: grant.access }; // somebody was faster
    return grant.refresh ? this.#renewed(name, of) : {};
  }

  /**
   * One renewal for all who wait for it. It is kept before it is used.
   * @param {string} name
   * @param {string} of
   */
  #renewed(name, of) {
    const key = `${name} ${of}`;
    const renewing = this.renewing.get(key) ?? this.#renew(name, of).finally(() => this.renewing.delete(key));
    this.renewing.set(key, renewing);
    return renewing;
  }

  /**
   * @param {string} name
   * @param {string} of
   * @returns {Promise<Token>}
   */
  async #renew(name, of) {
    const grant = this.#grant(name, of);
    if (!grant?.refresh) return {};
    try {
      const got = await renew(grant, grant.refresh, this.privates);
      const now = this.#grant(name, of);
      if (!now || now.refresh !== grant.refresh) return now ? { token: now.access } : {}; // removed or given anew meanwhile
      this.kv.put(`grant ${name}`, { ...grant, ...got, refresh: got.refresh ?? grant.refresh });
      return { token: got.access };
    } catch (cause) {
      if (saidNo(cause)) return { fault: "its authorization has ended", authorize: true };
      return { fault: "its authorization server does not renew the authorization now" };
    }
  }

  /**
   * Notes how a server has refused a request for want of a right.
   * @param {string} name
   * @param {string} of
   * @param {number} status
   * @param {string} header
   */
  refused(name, of, status, header) {
    this.challenges.set(name, { of, status, header: header.slice(0, 8 << 10) });
  }

  /**
   * Begins an authorization. One that was begun before for the same server ends.
   * @param {string} user
   * @param {string} name
   * @param {Declared} declared
   * @param {Applicant} applicant
   * @param {{id: string, secret?: string} | undefined} registered
   * @returns {Promise<{location: string} | Refusal>}
   */
  async begin(user, name, { url, headers }, applicant, registered) {
    const server = serverAddress(url, this.privates);
    if (!(server instanceof URL)) return { status: 409, code: "conflict", error: `this server takes no authorization: ${server.fault}`, hint: server.hint };
    const of = await identityOf({ url });
    const grant = this.#grant(name, of);
    const noted = this.challenges.get(name);
    try {
      const challenge = noted?.of === of ? noted : await challengeOf(server, headers, this.privates);
      if (!challenge && !grant) return { status: 409, code: "conflict", error: "this server wants no authorization", hint: "use its tools as they are" };
      const state = this.kind + crypto.randomUUID().replaceAll("-", "") + crypto.randomUUID().replaceAll("-", "");
      const { location, known, verifier } = await begin(server, challenge ?? { status: 401, header: "" }, applicant, registered, grant?.scopes ?? [], state, this.privates);
      const flows = this.#flows();
      for (const [key, flow] of flows) if ((flow.name === name && flow.user === user) || flow.until < Date.now()) this.kv.delete(key);
      if (this.#flows().length >= maxFlows) return { status: 429, code: "rate_limited", error: "too many authorizations are under way", hint: "end them, or wait ten minutes" };
      this.kv.put(`flow ${state}`, /** @type {Flow} */ ({ user, name, of, known, verifier, callback: applicant.callback, until: Date.now() + flowMs }));
      return { location };
    } catch (cause) {
      return unauthorized(why(cause));
    }
  }

  /**
   * Takes a person back. Whoever began the authorization ends it, once.
   * @param {string} user
   * @param {string} query
   * @returns {Promise<{name: string} | Refusal>}
   */
  async finish(user, query) {
    const asked = new URLSearchParams(query);
    const state = asked.get("state") ?? "";
    const key = `flow ${state}`;
    const flow = /** @type {Flow | undefined} */ (this.kv.get(key));
    if (!flow || flow.user !== user || flow.until < Date.now()) return unknownFlow();
    this.kv.delete(key);
    const said = asked.get("error");
    if (said) return { status: 403, code: "forbidden", error: `the authorization server says no: ${plain(said)}`, hint: `begin again with GET /api/mcp/${flow.name}/authorize if that was not meant` };
    asked.delete("again"); // the gateway's own
    try {
      const got = await redeem(flow.known, flow.verifier, state, flow.callback, asked, this.privates);
      this.kv.put(`grant ${flow.name}`, /** @type {Grant} */ ({ ...flow.known, ...got, of: flow.of }));
      this.challenges.delete(flow.name);
      return { name: flow.name };
    } catch (cause) {
      return unauthorized(why(cause));
    }
  }

  /**
   * An administrator approves definitions: for a moment a container may write that down.
   * @param {string} name
   * @param {string} hash
   */
  approve(name, hash) {
    this.kv.put(`approval ${name}`, { hash, until: Date.now() + approveMs });
  }

  /** What may be written down of a server; nothing otherwise. @param {string} name @returns {string} */
  approved(name) {
    const approval = /** @type {{hash: string, until: number} | undefined} */ (this.kv.get(`approval ${name}`));
    return approval && approval.until > Date.now() ? approval.hash : "";
  }

  /** @param {string} name @returns {Row | undefined} */
  #row(name) {
    const row = /** @type {Row | Declared | undefined} */ (this.kv.get(`server ${name}`));
    if (row && "url" in row) return { taken: { url: row.url, headers: row.headers }, asked: [] }; // as it was kept at first
    return row;
  }

  /**
   * @param {string} name
   * @param {Row} row
   */
  #put(name, row) {
    if (row.taken || row.asked.length > 0) this.kv.put(`server ${name}`, row);
    else this.kv.delete(`server ${name}`);
  }

  /** @param {string} name @param {string} of */
  #grant(name, of) {
    const grant = /** @type {Grant | undefined} */ (this.kv.get(`grant ${name}`));
    return grant?.of === of ? grant : undefined;
  }

  /** @returns {[string, Flow][]} */
  #flows() {
    return /** @type {[string, Flow][]} */ ([...this.kv.list({ prefix: "flow " })]);
  }
}

/** @returns {Refusal} */
function unknownFlow() {
  return { status: 404, code: "not_found", error: "this authorization was not begun here by you, was ended, or is too old", hint: "begin again with GET /api/mcp/{name}/authorize" };
}

/** @param {string} what @returns {Refusal} */
function unauthorized(what) {
  return { status: 503, code: "unavailable", error: `the server was not authorized: ${what}`, hint: "begin again; if it stays so, tell whoever runs the server" };
}
