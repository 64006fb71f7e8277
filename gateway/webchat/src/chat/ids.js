// Random ids. crypto.randomUUID is missing on plain-HTTP pages, getRandomValues is not.

const letters = 'abcdefghijkmnpqrstuvwxyz23456789'

/** @param {number} length */
export function randomId(length = 20) {
  return Array.from(crypto.getRandomValues(new Uint8Array(length)), (b) => letters[b % letters.length]).join('')
}
