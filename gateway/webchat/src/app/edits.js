// Messages that are being edited, each with its new text. They belong to their
// conversation and outlive a reload.

import { effect, signal } from '@preact/signals'
import { sessionId } from './route.js'
import { session } from './storage.js'

const name = (/** @type {string} */ id) => `loongclaw.edits.${id}`

/** The shown conversation's, by the id of the message. */
export const edits = signal(/** @type {Readonly<Record<string, string>>} */ ({}))

/** @param {string} id @returns {Record<string, string>} */
function read(id) {
  try {
    const kept = JSON.parse(session.getItem(name(id)) || '{}')
    return kept && typeof kept === 'object' ? kept : {}
  } catch {
    return {}
  }
}

/** @param {string} messageId @param {string} text */
export function edit(messageId, text) {
  keep({ ...edits.peek(), [messageId]: text })
}

/** @param {string} messageId */
export function endEdit(messageId) {
  const { [messageId]: _, ...rest } = edits.peek()
  keep(rest)
}

/** @param {Record<string, string>} all */
function keep(all) {
  edits.value = all
  if (Object.keys(all).length) session.setItem(name(sessionId.peek()), JSON.stringify(all))
  else session.removeItem(name(sessionId.peek()))
}

export function watchEdits() {
  effect(() => { edits.value = read(sessionId.value) })
}
