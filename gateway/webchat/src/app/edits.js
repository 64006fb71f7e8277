// Messages that are being edited, each with its new text and without the files that
// were taken from it. They belong to their conversation and outlive a reload.

import { effect, signal } from '@preact/signals'
import { kindOf } from '../chat/attachment.js'
import { randomId } from '../chat/ids.js'
import { state } from './current.js'
import { sessionId } from './route.js'
import { session } from './storage.js'

const name = (/** @type {string} */ id) => `loongclaw.edits.${id}`
const droppedName = (/** @type {string} */ id) => `loongclaw.edits.files.${id}`

/** The shown conversation's, by the id of the message. */
export const edits = signal(/** @type {Readonly<Record<string, string>>} */ ({}))

/** Paths of the files that its new version does not have, by the id of the message. */
export const dropped = signal(/** @type {Readonly<Record<string, readonly string[]>>} */ ({}))

/** @param {string} key @returns {Record<string, any>} */
function read(key) {
  try {
    const kept = JSON.parse(session.getItem(key) || '{}')
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
  dropFiles(messageId, [])
}

/** @param {string} messageId @param {readonly string[]} paths all that its new version lacks */
export function dropFiles(messageId, paths) {
  const { [messageId]: _, ...rest } = dropped.peek()
  dropped.value = paths.length ? { ...rest, [messageId]: paths } : rest
  if (Object.keys(dropped.value).length) session.setItem(droppedName(sessionId.peek()), JSON.stringify(dropped.value))
  else session.removeItem(droppedName(sessionId.peek()))
}

/** Files that the new version of a message has. @param {string} messageId @param {string} owner @returns {import('../chat/attachment.js').Attachment[]} */
export function keptFiles(messageId, owner) {
  const gone = dropped.peek()[messageId] ?? []
  return (state.peek().messages.get(messageId)?.attachments ?? []).flatMap(({ path, name, size, mediaType, sha256 }) => (path && !gone.includes(path)
    ? [{ id: randomId(), owner, home: sessionId.peek(), name, path, size, mediaType, kind: kindOf(mediaType), sha256, uploaded: true, sent: true }] : []))
}

/** An edit that was not sent goes on with the files that it had. @param {string} messageId @param {readonly {path: string}[]} files */
export function keptAgain(messageId, files) {
  const had = state.peek().messages.get(messageId)?.attachments ?? []
  dropFiles(messageId, had.flatMap(({ path }) => (path && !files.some((a) => a.path === path) ? [path] : [])))
}

/** @param {Record<string, string>} all */
function keep(all) {
  edits.value = all
  if (Object.keys(all).length) session.setItem(name(sessionId.peek()), JSON.stringify(all))
  else session.removeItem(name(sessionId.peek()))
}

export function watchEdits() {
  effect(() => {
    edits.value = read(name(sessionId.value))
    dropped.value = read(droppedName(sessionId.value))
  })
}
