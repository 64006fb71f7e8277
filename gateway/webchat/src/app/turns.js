// Work that is done a few at a time, in the order in which it was asked for.

/** @param {number} most as many as go on at once @returns {<T>(act: () => Promise<T>) => Promise<T>} */
export function inTurn(most) {
  let free = most
  /** @type {(() => void)[]} */
  const waiting = []
  return async (act) => {
    if (free > 0) free--
    else await new Promise((resolve) => { waiting.push(() => resolve(undefined)) })
    try {
      return await act()
    } finally {
      // The place is handed on: nobody who comes in this moment gets ahead.
      const next = waiting.shift()
      if (next) next()
      else free++
    }
  }
}
