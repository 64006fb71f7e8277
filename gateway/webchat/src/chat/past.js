// Whether a conversation may have a past that is not among its events.

/** @typedef {import('./state.js').State} State */

/** From here on a model's window may have been full once. */
const MESSAGES = 16
const CHARACTERS = 24_000

/** @param {State} s @param {boolean} more earlier turns are with the server only */
export function longEnough(s, more) {
  if (more || s.messages.size >= MESSAGES) return true
  let n = 0
  for (const m of s.messages.values()) n += m.content.length
  for (const r of s.runs.values()) for (const i of r.items) if (i.kind === 'call') n += i.call.output.length
  return n >= CHARACTERS
}

/** How often an answer read much less than the one before it. @param {State} s */
export function shrinks(s) {
  let [times, before] = [0, 0]
  for (const m of s.messages.values()) {
    const read = m.usage?.promptTokens
    if (typeof read !== 'number') continue
    if (read < before * 0.7) times++
    before = read
  }
  return times
}
