// What stands in the composer. Kept for each conversation, so that a reload or a
// look into another one does not lose half a message.

import { effect, signal } from '@preact/signals'
import { sessionId } from '../app/route.js'
import { session } from '../app/storage.js'

const name = (/** @type {string} */ id) => `loongclaw.draft.${id}`
/** A longer text is not written anew with each key. */
const LONG = 10_000

export const draft = signal('')
/** Whose draft it is. */
let owner = ''
/** @type {ReturnType<typeof setTimeout>|undefined} */
let timer

function keep() {
  clearTimeout(timer)
  timer = undefined
  if (draft.peek()) session.setItem(name(owner), draft.peek())
  else session.removeItem(name(owner))
}

export function watchDraft() {
  effect(() => {
    const id = sessionId.value
    if (timer) keep()
    owner = id
    draft.value = session.getItem(name(id)) ?? ''
  })
  effect(() => {
    if (draft.value.length < LONG) keep()
    else timer ??= setTimeout(keep, 500)
  })
  addEventListener('pagehide', () => { if (timer) keep() })
  document.addEventListener('visibilitychange', () => { if (timer) keep() })
}

/** Gives a text back to its writer, in front of what stands there. @param {string} text */
export function giveBack(text) {
  draft.value = draft.peek().trim() ? `${text}\n\n${draft.peek()}` : text
}
