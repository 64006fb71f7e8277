// Files in the composer, kept with its conversation as the draft is. Their bytes are
// elsewhere (app/bytes.js): here is what a reload has to know of them.

import { effect, signal } from '@preact/signals'
import { owner, phase } from './account.js'
import { outbox, showParcels } from './letters.js'
import { sessionId } from './route.js'
import { session } from './storage.js'

/** @typedef {import('../chat/attachment.js').Attachment} Attachment */

const key = (/** @type {string} */ home) => `loongclaw.files.${home}`

/** The shown conversation's. */
export const attached = signal(/** @type {readonly Attachment[]} */ ([]))
/** What could not be attached at all. Each is said once. */
export const leftOut = signal(/** @type {{why: 'tooMany'|'folders'|'away', names: string[]}|null} */ (null))
/** Whose are shown. */
let shown = ''

/** @param {string} home @returns {readonly Attachment[]} */
export function read(home) {
  try {
    const kept = JSON.parse(session.getItem(key(home)) || '[]')
    return Array.isArray(kept) ? kept.filter((a) => a?.owner === owner()) : []
  } catch {
    return []
  }
}

/** @param {string} home @param {(list: readonly Attachment[]) => readonly Attachment[]} to */
export function changeAttached(home, to) {
  const before = home === shown ? attached.peek() : read(home)
  const list = to(before)
  if (list === before) return
  if (home === shown) attached.value = list
  if (list.length) session.setItem(key(home), JSON.stringify(list))
  else session.removeItem(key(home))
}

/** @param {readonly Attachment[]} list @param {string} id @param {Partial<Attachment>} change */
const changed = (list, id, change) => (list.some((a) => a.id === id) ? list.map((a) => (a.id === id ? { ...a, ...change } : a)) : list)

/** Notes something of a file wherever it is by now: in a composer, or with a message that waits. @param {Attachment} file @param {Partial<Attachment>} change */
export function noteFile(file, change) {
  changeAttached(file.home, (list) => changed(list, file.id, change))
  for (const p of outbox.all()) {
    if (!p.attachments?.some((a) => a.id === file.id)) continue
    outbox.update(p.key, { attachments: [...changed(p.attachments, file.id, change)] })
    showParcels()
  }
}

/** A file as it is noted now; undefined when nobody wants it any more. @param {Attachment} file @returns {Attachment|undefined} */
export function noted(file) {
  const here = file.home === shown ? attached.peek() : read(file.home)
  return here.find((a) => a.id === file.id) ?? outbox.all().flatMap((p) => (p.messageId ? [] : p.attachments ?? [])).find((a) => a.id === file.id)
}

/** All files go with a message. @returns {Attachment[]} */
export function takeAttached() {
  const list = [...attached.peek()]
  changeAttached(shown, () => [])
  leftOut.value = null
  return list
}

/** Files of a message that was not sent come back. @param {readonly Attachment[]} list */
export function giveBackFiles(list) {
  const home = shown
  changeAttached(home, (now) => [...list.map((a) => ({ ...a, home })), ...now])
}

export function watchAttached() {
  effect(() => {
    shown = sessionId.value
    phase.value // whoever signs in has files of their own
    leftOut.value = null
    attached.value = read(shown)
  })
}
