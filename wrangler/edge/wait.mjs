/** Waiting, with an end. */

/**
 * @template T
 * @param {number} ms
 * @param {Promise<T>} promise
 * @returns {Promise<boolean>} whether it came in time
 */
export async function within(ms, promise) {
  const end = new AbortController();
  const late = new Promise((done) => {
    const timer = setTimeout(done, ms, "late");
    end.signal.addEventListener("abort", () => clearTimeout(timer));
  });
  try {
    return (await Promise.race([promise, late])) !== "late";
  } finally {
    end.abort();
  }
}

/** @param {number} ms */
export function sleep(ms) {
  return new Promise((done) => setTimeout(done, ms));
}
