// How long a text is for the server, which counts bytes of UTF-8.

const encoder = new TextEncoder()

/** @param {string} text */
export const bytes = (text) => encoder.encode(text).length

/** @param {number} n @returns {string} in KiB, as a person reads it */
export const size = (n) => `${Math.ceil(n / 1024).toLocaleString('en')} KiB`
