// What a model thinks, among the items of its run.

/** @typedef {import('./state.js').Item} Item */

/**
 * A piece of a thought. One without an offset begins it anew, as after a reconnect.
 * @param {Item[]} items @param {any} e @returns {Item[]}
 */
export function think(items, e) {
  const at = items.findIndex((i) => i.kind === 'thought' && i.thought.id === e.messageId)
  const known = items[at]
  const old = known?.kind === 'thought' ? known.thought : undefined
  /** @type {Item} */
  const next = {
    kind: 'thought',
    thought: {
      id: e.messageId, text: (e.offset && old ? old.text : '') + (e.content ?? ''), cut: Boolean(e.truncated),
      startedAt: old?.startedAt || e.timestamp || '', endedAt: old?.endedAt ?? '',
    },
  }
  if (old) return items.with(at, next)
  // An answer that is here already: its thought is told again, and stands before it.
  const answer = items.findIndex((i) => i.kind === 'answer' && i.id === e.messageId)
  if (answer >= 0) return items.toSpliced(answer, 0, { ...next, thought: { ...next.thought, endedAt: next.thought.startedAt } })
  // An attempt of which nothing came is void: the next one thinks anew.
  const last = items.at(-1)
  return [...(last?.kind === 'thought' && !last.thought.endedAt ? items.slice(0, -1) : items), next]
}

/** Something else follows: it was thought to its end. @param {Item[]} items @param {string} [at] @returns {Item[]} */
export function endThoughts(items, at = '') {
  const last = items.at(-1)
  if (last?.kind !== 'thought' || last.thought.endedAt) return items
  return items.with(-1, { kind: 'thought', thought: { ...last.thought, endedAt: at || last.thought.startedAt || '-' } })
}
