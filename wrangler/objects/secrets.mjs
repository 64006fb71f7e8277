/**
 * An object that keeps what is secret of servers of tools: each user's of their own, the
 * vault of the instance's. The Worker asks it, and no client can.
 */
import { DurableObject } from "cloudflare:workers";
import { ServerSecrets } from "../mcp/secrets.mjs";

export class SecretsObject extends DurableObject {
  /**
   * @param {DurableObjectState} ctx
   * @param {Env} env
   * @param {string} kind which of the two it is, as the states of its authorizations say
   */
  constructor(ctx, env, kind) {
    super(ctx, env);
    this.env = env;
    this.servers = new ServerSecrets(ctx.storage.kv, env, kind);
  }

  /** @param {string} name @param {import("../mcp/secrets.mjs").Declared} declared */
  declareServer(name, declared) {
    return this.servers.declare(name, declared);
  }

  /**
   * Whether the agent has taken what was declared.
   * @param {string} name
   * @param {string} id
   * @param {boolean} taken
   */
  serverDeclared(name, id, taken) {
    if (taken) this.servers.settle(name, id);
    else this.servers.takeBack(name, id);
  }

  /** @param {string} name */
  server(name) {
    return this.servers.declared(name);
  }

  /**
   * Removes what is secret of a server, at once, and waits until the agent may be told.
   * @param {string} name
   * @returns {Promise<string>} for serverRemoved
   */
  async removeServer(name) {
    this.servers.remove(name);
    const id = await this.servers.begun(name);
    this.servers.remove(name); // what came before meanwhile
    return id;
  }

  /**
   * The agent has answered about the removal.
   * @param {string} name
   * @param {string} id
   */
  serverRemoved(name, id) {
    this.servers.ended(name, id);
  }

  /** @param {string} name @param {string} of */
  serverToken(name, of) {
    return this.servers.token(name, of);
  }

  /** @param {string} name @param {string} of @param {string} refused */
  anotherServerToken(name, of, refused) {
    return this.servers.another(name, of, refused);
  }

  /** @param {string} name @param {string} of @param {number} status @param {string} header */
  serverRefused(name, of, status, header) {
    this.servers.refused(name, of, status, header);
  }

  /**
   * @param {string} user
   * @param {string} name
   * @param {import("../mcp/secrets.mjs").Declared} server
   * @param {import("../mcp/oauth.mjs").Applicant} applicant
   * @param {{id: string, secret?: string}} [registered]
   */
  beginAuthorization(user, name, server, applicant, registered) {
    return this.servers.begin(user, name, server, applicant, registered);
  }

  /** @param {string} user @param {string} query */
  endAuthorization(user, query) {
    return this.servers.finish(user, query);
  }

  /** @param {string} name @param {string} hash */
  approveServer(name, hash) {
    this.servers.approve(name, hash);
  }

  /** @param {string} name */
  approvedServer(name) {
    return this.servers.approved(name);
  }
}
