// Which session the address names: /s/{id}; / is a chat that has no name yet.

import { signal } from '@preact/signals'

/** '' is a new chat. */
export const sessionId = signal(fromPath(location.pathname))
/** Whether the address is none of this page. */
export const astray = signal(isAstray())

function isAstray() {
  return location.pathname !== '/' && fromPath(location.pathname) === ''
}

/** @param {string} path */
function fromPath(path) {
  const found = /^\/s\/([^/]+)$/.exec(path)?.[1]
  try {
    return found ? decodeURIComponent(found) : ''
  } catch {
    return ''
  }
}

/** @param {string} id */
export const address = (id) => (id ? `/s/${encodeURIComponent(id)}` : '/')

/** Called before another entry of the browser's history is made, for what belongs to the one that is left. */
let leaving = () => {}
/** @param {() => void} f */
export const onLeave = (f) => { leaving = f }

/** @param {string} id */
export function go(id) {
  leaving()
  if (location.pathname !== address(id)) history.pushState(null, '', address(id))
  astray.value = false
  sessionId.value = id
}

export function watchAddress() {
  addEventListener('popstate', () => {
    astray.value = isAstray()
    sessionId.value = fromPath(location.pathname)
  })
}
