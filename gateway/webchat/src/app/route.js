// What the address names: a conversation at /s/{id}, a chat that has no name yet at
// /, or one of the other places of the page.

import { batch, signal } from '@preact/signals'

/** @typedef {'chat'|'tools'|'skill'|'needs'|'settings'} View */
/** @typedef {{view: View, id: string, part: string, astray: boolean}} Place id: of a conversation, '' is a new chat; part: a server or a skill, by its name */

/** @type {[RegExp, View][]} */
const places = [[/^\/$/, 'chat'], [/^\/s\/([^/]+)$/, 'chat'], [/^\/tools(?:\/([^/]+))?$/, 'tools'], [/^\/skills\/([^/]+)$/, 'skill'], [/^\/needs-you$/, 'needs'], [/^\/settings$/, 'settings']]

/** @param {string} path @returns {Place} */
export function placeAt(path) {
  for (const [pattern, view] of places) {
    const found = pattern.exec(path)
    if (!found) continue
    try {
      const name = decodeURIComponent(found[1] ?? '')
      return { view, id: view === 'chat' ? name : '', part: view === 'chat' ? '' : name, astray: false }
    } catch {
      break // no address of ours
    }
  }
  return { view: 'chat', id: '', part: '', astray: true }
}

const first = placeAt(typeof location === 'undefined' ? '/' : location.pathname)

export const view = signal(first.view)
/** '' is a new chat, and stands for none where another place is shown. */
export const sessionId = signal(first.id)
export const part = signal(first.part)
/** Whether the address is none of this page. */
export const astray = signal(first.astray)

/** @param {string} id */
export const address = (id) => (id ? `/s/${encodeURIComponent(id)}` : '/')
/** @param {string} name of a server; '' is all of them */
export const toolsAddress = (name) => (name ? `/tools/${encodeURIComponent(name)}` : '/tools')
/** @param {string} name */
export const skillAddress = (name) => `/skills/${encodeURIComponent(name)}`

/** Called before another entry of the browser's history is made, for what belongs to the one that is left. */
let leaving = () => {}
/** @param {() => void} f */
export const onLeave = (f) => { leaving = f }

/** @param {Place} place */
function take(place) {
  batch(() => {
    view.value = place.view
    sessionId.value = place.id
    part.value = place.part
    astray.value = place.astray
  })
}

/** @param {string} path of this page */
export function visit(path) {
  leaving()
  if (location.pathname !== path) history.pushState(null, '', path)
  take(placeAt(path))
}

/** @param {string} id */
export const go = (id) => visit(address(id))

/** A link of this page: followed here, unless the reader wants another window. @param {string} path @param {() => void} [then] */
export const following = (path, then) => (/** @type {MouseEvent} */ e) => {
  if (e.metaKey || e.ctrlKey || e.shiftKey) return
  e.preventDefault()
  visit(path)
  then?.()
}

export function watchAddress() {
  addEventListener('popstate', () => take(placeAt(location.pathname)))
}
