// What the server keeps beside the events of a conversation: summaries of its older
// part, and the plan of a turn that is not here. A short conversation has neither, so
// only of a longer one they are asked for: when it is opened, when older turns come,
// and when an answer read much less than the one before it, which is what a summary does.

import { effect, untracked } from '@preact/signals'
import * as api from '../wire/api.js'
import { works } from '../chat/state.js'
import { longEnough, shrinks } from '../chat/past.js'
import { link, older, state } from './current.js'
import { phase } from './account.js'
import { sessionId } from './route.js'

/** For which conversation, and for how much of it, it was asked last. */
let asked = ''

export function watchPast() {
  effect(() => {
    const id = sessionId.value
    const s = state.value
    if (phase.value !== 'in' || !id || !s.cursor || link.value === 'connecting' || works(s)) return
    const key = `${id} ${older.value} ${shrinks(s)}`
    if (key === asked || !longEnough(s, older.value !== '')) return
    asked = key
    untracked(() => read(id))
  })
}

/** @param {string} id */
async function read(id) {
  try {
    const { messages, todo } = await api.getHistory(id, Math.max(80, 2 * state.peek().messages.size))
    if (sessionId.peek() !== id) return
    const summaries = new Map(messages.flatMap((m) => (m.summary && m.parentId ? [[m.parentId, { id: m.id, content: m.content }]] : [])))
    state.value = { ...state.peek(), summaries, todo: todo?.items ?? null }
  } catch {
    // Nobody misses what they cannot know of; it is asked for with the next turn.
    asked = ''
  }
}
