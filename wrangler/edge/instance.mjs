/**
 * One instance of the Go core. It serves every request of its isolate, one call
 * at a time, and a call answers before it returns.
 */
import "../build/wasm_exec.js";
import { seedBytes, Signer } from "./signer.mjs";

/** Says that the instance is gone: the next request needs a new one. */
export class InstanceLost extends Error {}

/** So often Go looks at the clock, once it wants a timer, in no call that ends. */
const maxLooks = 10_000;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true });

/**
 * Takes one out of a share of a limit, if there is one under that key.
 * @typedef {(key: string) => {remaining: number, resetMs: number} | undefined} Lend
 */

/** @type {Lend} */
export const lendNothing = () => undefined;

/** @typedef {{mem: WebAssembly.Memory, loongclawBuffer: (n: number) => number, loongclawCall: (n: number) => number}} Exports */

export class Instance {
  /**
   * Boots Go. Outside a request there is neither a clock nor randomness, so a
   * boot there draws from a seed that is secret and made for each build. It
   * fixes Go's map hashing; everything drawn later is truly random.
   * @param {WebAssembly.Module} module
   * @param {Uint8Array} [seed] leave it out inside a request
   * @param {string[]} rehearsal calls to make at once
   */
  constructor(module, seed, rehearsal = []) {
    /** How often Go wanted a timer. None is ever armed. */
    this.timers = 0;
    /** How often Go has looked at the clock since it wanted a timer in this call. */
    this.looks = 0;
    /** How many bytes of the seed the boot took. */
    this.drawn = 0;
    /** @type {string} */
    this.lost = "";
    this.go = new Go();
    this.seed = seed;
    this.clock = 0;
    this.#replaceImports(this.go.importObject.gojs);
    /** @type {Lend} what the call under way may take from */
    this.lend = lendNothing;
    this.signer = new Signer();
    this.wasm = new WebAssembly.Instance(module, { ...this.go.importObject, loongclaw: { lend: this.#lend.bind(this), sign: this.#sign.bind(this) } });
    this.exports = /** @type {Exports} */ (/** @type {unknown} */ (this.wasm.exports));
    /** How many calls have come to their end. */
    this.calls = 0;
    this.#start();
    /** What the rehearsal's calls answered. */
    this.rehearsed = this.#rehearse(rehearsal);
    this.seed = undefined;
  }

  /**
   * Makes calls ahead of the first request, so that it pays neither for them nor
   * for V8 compiling what they run. None may draw randomness: it would be the
   * same in every isolate.
   * @param {string[]} messages
   */
  #rehearse(messages) {
    const drawn = this.drawn;
    const answers = messages.map((message) => this.call(message));
    if (this.drawn !== drawn) throw new InstanceLost("the core draws randomness outside a request; keep it out of New and of the warm-up");
    return answers;
  }

  get memoryBytes() {
    return this.exports.mem.buffer.byteLength;
  }

  /**
   * @param {string} message
   * @returns {string}
   */
  call(message) {
    if (this.lost) throw new InstanceLost(this.lost);
    this.looks = 0;
    try {
      const answer = this.#cross(message);
      if (!this.go.exited && answer !== undefined) return answer;
      this.lost ||= "the core exited or waited";
    } catch (cause) {
      // Whatever came through the middle of Go left it in an unknown state.
      this.lost ||= `the core broke: ${cause}`;
    }
    throw new InstanceLost(this.lost);
  }

  /**
   * Writes a message into Go's memory and reads the answer out of it
   * (gateway/host/workers/serve_js.go).
   * @param {string} message
   * @returns {string | undefined} nothing when the call has not come to its end
   */
  #cross(message) {
    const { mem, loongclawBuffer, loongclawCall } = this.exports;
    const most = 3 * message.length; // of UTF-8
    const at = loongclawBuffer(most) >>> 0;
    const { written } = encoder.encodeInto(message, new Uint8Array(mem.buffer, at, most));
    const said = loongclawCall(written) >>> 0;
    if (this.go.exited || said === 0) return undefined;
    const [start, length, ended] = new Uint32Array(mem.buffer, said, 3); // only now: Go may have grown its memory
    if (ended !== this.calls + 1) return undefined;
    this.calls = ended;
    return decoder.decode(new Uint8Array(mem.buffer, start, length));
  }

  /**
   * @param {number} key where its text lies
   * @param {number} length
   * @param {number} left where the two numbers of the answer go
   */
  #lend(key, length, left) {
    const { buffer } = this.exports.mem;
    const share = this.lend(decoder.decode(new Uint8Array(buffer, key >>> 0, length)));
    if (!share) return 0;
    new Int32Array(buffer, left >>> 0, 2).set([share.remaining, Math.min(share.resetMs, 0x7fffffff)]);
    return 1;
  }

  /**
   * @param {number} seed where the key lies
   * @param {number} message
   * @param {number} length
   * @param {number} signature where it goes
   */
  #sign(seed, message, length, signature) {
    if (this.seed) return 0; // outside a request Go does it
    const { buffer } = this.exports.mem;
    try {
      const made = this.signer.sign(new Uint8Array(buffer, seed >>> 0, seedBytes), new Uint8Array(buffer, message >>> 0, length));
      new Uint8Array(buffer, signature >>> 0, made.length).set(made);
      return 1;
    } catch (cause) {
      console.warn(JSON.stringify({ level: "WARN", msg: "a pass could not be signed here; Go signs it", error: String(cause) }));
      return 0;
    }
  }

  #start() {
    // run() resolves when Go exits, which call() notices by itself.
    this.go.run(this.wasm).catch(() => {});
    if (this.go.exited) throw new InstanceLost("the core did not start; the log says why");
  }

  /** @param {Record<string, Function>} imports */
  #replaceImports(imports) {
    const random = imports["runtime.getRandomData"];
    imports["runtime.getRandomData"] = (/** @type {number} */ sp) => {
      if (this.seed) this.#drawSeed(sp >>> 0, this.seed);
      else random(sp);
    };
    // Go refuses a clock that says 0, as it does outside a request, or runs backwards.
    imports["runtime.nanotime1"] = (/** @type {number} */ sp) => {
      if (this.looks > 0 && ++this.looks > maxLooks) {
        this.lost = "the core waits for a timer; nothing in it may wait";
        throw new InstanceLost(this.lost);
      }
      this.clock = Math.max(this.clock + 1000, Date.now() * 1e6);
      this.go.mem.setBigInt64((sp >>> 0) + 8, BigInt(this.clock), true);
    };
    // Go's own housekeeping wants to be woken later, after a collection, say. It is
    // not: a timer would belong to whichever request armed it, and hang the others.
    // What is due is done within a later call. Only a call that waits itself does not
    // end: Go then looks at the clock again and again.
    imports["runtime.scheduleTimeoutEvent"] = (/** @type {number} */ sp) => {
      this.timers++;
      this.looks = 1;
      this.go.mem.setInt32((sp >>> 0) + 16, this.timers, true);
    };
    imports["runtime.clearTimeoutEvent"] = () => {};
  }

  /**
   * @param {number} sp
   * @param {Uint8Array} seed
   */
  #drawSeed(sp, seed) {
    const start = this.go.mem.getUint32(sp + 8, true);
    const length = this.go.mem.getUint32(sp + 16, true);
    const bytes = seed.subarray(this.drawn, this.drawn + length);
    this.drawn += length;
    if (bytes.length < length) {
      throw new InstanceLost("the boot draws more randomness than the seed holds; keep crypto/rand out of package initialisation");
    }
    new Uint8Array(this.go.mem.buffer, start, length).set(bytes);
  }
}
