// How much of a conversation is drawn: its last turns at once, those before them a
// few at a time, so that neither opening it nor older turns that come in hold the
// page up.

import { useEffect, useRef, useState } from 'preact/hooks'

/** About a screen of a phone; of what is above it nobody sees that it comes a moment later. */
const FIRST = 3
const STEP = 1
/** What is drawn in between: a frame, and what the reader does. */
const PAUSE = 16

/** @typedef {import('../chat/tree.js').Turn} Turn */

/**
 * From which turn on they are drawn.
 * @param {Turn[]} turns @param {string} name of the conversation @param {string} [wanted] a turn that has to be drawn
 */
export function useStretch(turns, name, wanted) {
  const first = useRef({ name: '', id: '' })
  const timer = useRef(/** @type {ReturnType<typeof setTimeout>|undefined} */ (undefined))
  const [, draw] = useState(0)
  let from = first.current.name === name ? turns.findIndex((turn) => turn.userId === first.current.id) : -1
  if (from < 0) from = Math.max(0, turns.length - FIRST)
  const at = wanted ? turns.findIndex((turn) => turn.userId === wanted) : -1
  if (at >= 0 && at < from) from = Math.max(0, at - 1)
  first.current = { name, id: turns[from]?.userId ?? '' }
  useEffect(() => {
    if (from === 0 || timer.current) return
    timer.current = setTimeout(() => {
      timer.current = undefined
      const all = first.current.name === name ? turns : []
      const now = all.findIndex((turn) => turn.userId === first.current.id)
      if (now > 0) first.current = { name, id: all[Math.max(0, now - STEP)].userId }
      draw((n) => n + 1)
    }, PAUSE)
  })
  useEffect(() => () => clearTimeout(timer.current), [])
  return from
}
