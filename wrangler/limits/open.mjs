/**
 * How much of something one user may have open at once: what bounds on rates do not
 * bound. The native gateway has the same variables (gateway/cmd/gateway).
 */

/** The variables, and what counts where they are not set. */
const usual = { MAX_OPEN_STREAMS: 256, MAX_OPEN_SOCKETS: 64 };

/**
 * @param {Env} env
 * @param {keyof typeof usual} name
 * @returns {number}
 */
export function most(env, name) {
  const said = Number(env[name]?.trim() || usual[name]);
  return Number.isSafeInteger(said) && said > 0 ? said : usual[name];
}

/** How many frames a socket may send: those that ask for nothing cost something, too. */
export const frameRate = { n: 6_000, per: 60 };

/** How many streams users have open. */
export class Open {
  constructor() {
    /** @type {Map<string, number>} */
    this.by = new Map();
  }

  /** @param {string} user */
  of(user) {
    return this.by.get(user) ?? 0;
  }

  /**
   * Counts a stream in. What it gives counts it out, once.
   * @param {string} user
   */
  enter(user) {
    this.by.set(user, this.of(user) + 1);
    let inside = true;
    return () => {
      if (!inside) return;
      inside = false;
      const n = this.of(user) - 1;
      if (n > 0) this.by.set(user, n);
      else this.by.delete(user);
    };
  }
}

/**
 * The same answer, and word of the end of its body, however it ends.
 * @param {Response} answer
 * @param {() => void} ended
 * @returns {{answer: Response, done: Promise<void>}}
 */
export function watched(answer, ended) {
  if (!answer.body) {
    ended();
    return { answer, done: Promise.resolve() };
  }
  const { readable, writable } = new TransformStream();
  const done = answer.body.pipeTo(writable).catch(() => {}).finally(ended);
  return { answer: new Response(readable, answer), done };
}

/**
 * Whether an answer has no end to wait for.
 * @param {Response} answer
 */
export function isStream(answer) {
  return /^text\/event-stream\s*(;|$)/i.test(answer.headers.get("content-type") ?? "");
}
