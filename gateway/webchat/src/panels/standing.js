// How a server or a skill stands to its reader: which words say it, what they may
// do, and what of it is on the page while it changes behind it.

import { webAddress } from '../text/links.js'

/** @typedef {import('./compare.js').Tool} Tool */
/**
 * @typedef {{name: string, scope: string, transport: string, host?: string, state: string, error?: string, authorize?: boolean, protocol?: string,
 *   hash?: string, approvedHash?: string, tools: Tool[], changes?: import('./compare.js').Change[]}} Server
 */
/** @typedef {{name: string, description: string, hash: string, state: string, error?: string, files: string[], changes?: {file: string, what: string}[], was?: string}} Skill */

const known = new Set(['connecting', 'unapproved', 'ready', 'changed', 'failed'])

/** The key of the words for a server's state; what is to be done has them with Next. @param {Server} s */
export function stateOf(s) {
  if (s.authorize && s.error) return 'wantsAuthorization'
  return known.has(s.state) ? s.state : 'unknownState'
}

/** How urgent it looks. @param {string} state */
export const toneOf = (state) => (state === 'ready' ? 'ok' : state === 'failed' || state === 'unknownState' ? 'bad' : state === 'connecting' ? 'busy' : 'ask')

/**
 * Why somebody may not approve or authorize a server, as a key of the words; '' where they may.
 * @param {Server} s @param {readonly string[]|undefined} scopes of who looks; undefined: the server does not say
 */
export function hindrance(s, scopes) {
  if (!scopes) return ''
  if (s.scope === 'instance' && !scopes.includes('admin')) return 'needsAdmin'
  return scopes.includes('chat') ? '' : 'needsChat'
}

/** Whether what is there can be approved. @param {Server} s */
export const approvable = (s) => Boolean(s.hash) && (s.state === 'unapproved' || s.state === 'changed')

/**
 * What of a server is on the page: as it is, but for definitions that somebody is
 * about to approve. Those stay as they were read, however often the server changes.
 * @param {Server|undefined} shown @param {Server} now @returns {Server}
 */
export function held(shown, now) {
  if (!shown || shown.name !== now.name || shown.scope !== now.scope || !approvable(shown) || shown.hash === now.hash) return now
  return shown
}

const serverName = /^[a-z0-9_-]{1,32}$/
const headerName = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$/

/** @typedef {{name: string, value: string}} Header */

/**
 * What is wrong with a server that somebody sets up: words, and which header is meant.
 * @param {{name: string, url: string, headers: readonly Header[]}} form @param {readonly string[]} taken names of other servers
 * @returns {{field: 'name'|'url'|'header', key: string, n?: number}|null}
 */
export function wrongWith({ name, url, headers }, taken) {
  if (!serverName.test(name)) return { field: 'name', key: 'nameHint' }
  if (taken.includes(name)) return { field: 'name', key: 'nameTaken' }
  if (!webAddress(url)) return { field: 'url', key: 'urlHint' }
  const seen = new Set()
  for (const [i, { name: header, value }] of headers.entries()) {
    if (!header.trim() && !value) continue
    if (!headerName.test(header.trim()) || !value.trim() || /[\r\n]/.test(value)) return { field: 'header', key: 'headerBad', n: i + 1 }
    if (seen.has(header.trim().toLowerCase())) return { field: 'header', key: 'headerTwice', n: i + 1 }
    seen.add(header.trim().toLowerCase())
  }
  return null
}

/** @param {{url: string, headers: readonly Header[]}} form what the server is told */
export function bodyOf({ url, headers }) {
  const set = headers.filter((h) => h.name.trim())
  return { url, ...(set.length ? { headers: Object.fromEntries(set.map((h) => [h.name.trim(), h.value.trim()])) } : {}) }
}

/** What an address says of an authorization that ended. @param {string} search */
export function endingOf(search) {
  const said = new URLSearchParams(search).get('authorization') ?? ''
  return Object.hasOwn(endings, said) ? endings[said] : ''
}
/** @type {Record<string, string>} */
const endings = { granted: 'endGranted', denied: 'endDenied', failed: 'endFailed', unknown: 'endUnknown' }
