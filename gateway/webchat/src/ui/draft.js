// What stands in the composer. Kept for each session, so that a reload or a look
// into another conversation does not lose half a message.

import { effect, signal } from '@preact/signals'
import { sessionId } from '../app/route.js'

const name = (/** @type {string} */ id) => `loongclaw.draft.${id}`

export const draft = signal('')

export function watchDraft() {
  effect(() => { draft.value = sessionStorage.getItem(name(sessionId.value)) ?? '' })
  effect(() => {
    const id = sessionId.peek()
    if (draft.value) sessionStorage.setItem(name(id), draft.value)
    else sessionStorage.removeItem(name(id))
  })
}
