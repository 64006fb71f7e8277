/**
 * The Go core as the Worker's modules see it: questions in, answers out, each in
 * one call. It serves requests and the objects' sockets alike.
 */
import { Instance, lendNothing } from "./instance.mjs";
import {
  decode, encodeConfigure, encodeConnected, encodeDecide, encodeExpired, encodeFail, encodeFailure, encodeFollow,
  encodeFrame, encodeKey, encodeRefusal, encodeWarm,
} from "./message.mjs";
import { vaultName } from "../objects/names.mjs";

/** @typedef {import("./message.mjs").Identity} Identity */

export class Core {
  /**
   * Boots Go outside any request, so that none pays for it.
   * @param {WebAssembly.Module} module
   * @param {Uint8Array} seed
   * @param {Env} env
   */
  constructor(module, seed, env) {
    this.module = module;
    this.key = env.PASS_PRIVATE_KEY ?? "";
    this.instance = new Instance(module, seed, this.key ? [encodeWarm(), encodeConfigure(env, this.key)] : [encodeWarm()]);
    const [warmUp, refusal] = this.instance.rehearsed;
    if (warmUp) throw new Error(`the core's warm-up failed: ${warmUp}`);
    // A refusal may mean that the secrets are not there yet: the first request asks
    // again. The vault's key can only be had inside one.
    this.configured = refusal === "";
  }

  /** Whether there is nothing that opening would do. */
  get isOpen() {
    return this.configured && this.instance.lost === "" && this.key !== "";
  }

  /**
   * Makes the core ready to decide. Without a key of its owner's the gateway has
   * one that the vault made; it is fetched once for each isolate.
   * @param {Env} env
   */
  async open(env) {
    if (!this.key && env.VAULT) {
      this.key = await env.VAULT.getByName(vaultName).passKey();
      this.configured = false;
    }
    if (this.instance.lost) {
      // Inside a request clock and randomness are real: no seed.
      this.instance = new Instance(this.module);
      this.configured = false;
    }
    if (this.configured) return;
    this.instance.call(encodeConfigure(env, this.key));
    this.configured = true;
  }

  /**
   * @param {Request} request
   * @param {import("./message.mjs").Facts} facts
   * @param {import("./instance.mjs").Lend} [lend] what the request may take of a share of a limit
   */
  decide(request, facts, lend = lendNothing) {
    const { instance } = this;
    instance.lend = lend;
    try {
      return decode(instance.call(encodeDecide(request, facts)));
    } finally {
      instance.lend = lendNothing;
    }
  }

  /**
   * An answer for a failure that JavaScript met.
   * @param {string} kind gateway/host/workers/failure.go has the words
   * @param {string} requestId
   * @param {Request} request its path says how its client reads errors
   */
  fail(kind, requestId, request) {
    return decode(this.instance.call(encodeFail(kind, requestId, new URL(request.url).pathname)));
  }

  /**
   * @param {Identity} identity
   * @param {string | ArrayBuffer} frame
   * @param {import("./message.mjs").LimitAnswer[]} limits
   * @returns {import("./message.mjs").FrameDecision}
   */
  frame(identity, frame, limits) {
    return JSON.parse(this.instance.call(encodeFrame(identity, frame, limits)));
  }

  /**
   * The first frame on a socket.
   * @param {Identity} identity
   */
  connected(identity) {
    return this.instance.call(encodeConnected(identity));
  }

  /**
   * The request for a session's events, with a fresh pass.
   * @param {Identity} identity
   * @param {string} session
   * @returns {import("./message.mjs").Call}
   */
  follow(identity, session) {
    return JSON.parse(this.instance.call(encodeFollow(identity, session)));
  }

  /**
   * How a socket must end whose credential has run out.
   * @param {Identity} identity
   * @returns {{code: number, reason: string} | undefined}
   */
  expired(identity) {
    return JSON.parse(this.instance.call(encodeExpired(identity))).close;
  }

  /**
   * The frame for an agent's answer that is not 2xx.
   * @param {string} session
   * @param {number} status
   * @param {string} body
   */
  refusal(session, status, body) {
    return this.instance.call(encodeRefusal(session, status, body));
  }

  /**
   * The frame for a failure that JavaScript met.
   * @param {string} session
   * @param {string} kind
   */
  failure(session, kind) {
    return this.instance.call(encodeFailure(session, kind));
  }

  /** What an agent needs to know this gateway's passes. */
  publicKey() {
    return this.instance.call(encodeKey());
  }
}
