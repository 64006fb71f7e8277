/** Asking once more. */

/**
 * Asks, and once more when that failed: an object was just being moved or reset, or a
 * connection closed that rested. Only for what may be done twice.
 * @template T
 * @param {() => Promise<T>} ask with a stub of its own each time: one that failed stays broken
 * @returns {Promise<T>}
 */
export async function again(ask) {
  try {
    return await ask();
  } catch (cause) {
    const { overloaded } = /** @type {{overloaded?: boolean}} */ (cause);
    if (overloaded) throw cause; // to ask more often would make it worse
    return ask();
  }
}
