// The HTTP API of the same origin. One function per path; nothing here keeps state
// but the token.

import { plainPath } from '../text/links.js'
import { Fault, faultOf, networkFault } from './fault.js'

/** @typedef {{id: string, title: string, createdAt: string, updatedAt: string, messages: number, head?: string, state?: string, model?: string}} Session */
/** @typedef {{runId: string, messageId: string, sessionId: string, cursor: string}} Run */

let token = ''
/** @param {string} value */
export const useToken = (value) => { token = value }

/** @param {Record<string, string>} [more] */
export function headers(more) {
  /** @type {Record<string, string>} */
  const all = { Accept: 'application/json', ...more }
  if (token) all.Authorization ??= `Bearer ${token}`
  return all
}

/**
 * @param {string} path
 * @param {{method?: string, body?: unknown, headers?: Record<string, string>, keepalive?: boolean, signal?: AbortSignal, known?: number}} [options]
 *   known: a status that is an answer, too
 * @returns {Promise<Response>}
 */
export async function send(path, options = {}) {
  const { body, known, ...rest } = options
  const more = body === undefined ? options.headers : { 'Content-Type': 'application/json', ...options.headers }
  let response
  try {
    response = await fetch(path, {
      ...rest,
      headers: headers(more),
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: 'same-origin',
      cache: 'no-store',
    })
  } catch (err) {
    throw networkFault(err)
  }
  if (!response.ok && response.status !== known) throw await faultOf(response)
  return response
}

/**
 * @param {string} path
 * @param {Parameters<typeof send>[1]} [options]
 * @returns {Promise<any>}
 */
export async function json(path, options) {
  return bodyOf(await send(path, options))
}

/** @param {Response} response @returns {Promise<any>} */
async function bodyOf(response) {
  const text = await response.text().catch((err) => { throw networkFault(err) })
  if (text === '') return {}
  try {
    return JSON.parse(text)
  } catch {
    throw new Fault({ error: 'the answer is not JSON', code: 'internal', requestId: response.headers.get('X-Request-Id') || '' }, 502)
  }
}

/** @param {string} id */
const sessionPath = (id) => `/api/sessions/${encodeURIComponent(id)}`

/** @typedef {{token: string, user: string, expiresAt: string, cookie?: boolean}} Login cookie: the browser keeps it, where no script can read it */

/** @param {string} code @returns {Promise<Login>} */
export const login = (code) => json('/api/login', { method: 'POST', body: { code, cookie: true } })

/** Trades a token for a session. @param {string} secret @returns {Promise<Login>} */
export const trade = (secret) =>
  json('/api/login', { method: 'POST', body: { cookie: true }, headers: { Authorization: `Bearer ${secret}` } })

export const logout = () => send('/api/logout', { method: 'POST' })

/** Rows of one page of the list: some 2 kB on the wire. */
export const PAGE = 40

/** @typedef {{sessions: Session[], more: boolean, cursor: string, etag: string}} ListPage cursor: where the stream of changes goes on */

/**
 * One page of the list; null where the server says that nothing changed since.
 * @param {{query?: string, from?: number, etag?: string}} [which] @returns {Promise<ListPage|null>}
 */
export async function listSessions({ query = '', from = 0, etag = '' } = {}) {
  const which = new URLSearchParams({ limit: String(PAGE), ...(query && { q: query }), ...(from && { after: String(from) }) })
  const response = await send(`/api/sessions?${which}`, { headers: etag ? { 'If-None-Match': etag } : undefined, known: 304 })
  if (response.status === 304) return null
  const page = await bodyOf(response)
  return {
    sessions: page.sessions ?? [], more: Boolean(page.next),
    cursor: response.headers.get('X-List-Cursor') ?? '', etag: response.headers.get('ETag') ?? '',
  }
}

/** Where the changes of the list are told. @param {string} cursor */
export const listStream = (cursor) => `/api/sessions/stream?after=${encodeURIComponent(cursor)}`

/** @typedef {{approvalId: string, sessionId: string, name?: string, scope?: string, expiresAt?: string}} Approval */

/** @returns {Promise<{approvals: Approval[]}>} what waits for a decision, in all sessions */
export const listApprovals = () => json('/api/approvals')

/** Where a session's events are told, from a cursor until nothing goes on. @param {string} id @param {string} after */
export const eventStream = (id, after) => `${sessionPath(id)}/events?${new URLSearchParams({ ...(after && { after }), until: 'idle' })}`

/**
 * The last turns of the shown branch, or of those before a cursor.
 * @param {string} id @param {number} turns @param {string} [before] @param {AbortSignal} [signal]
 * @returns {Promise<{events: any[], next: string, before?: string}>}
 */
export const getTurns = (id, turns, before, signal) =>
  json(`${sessionPath(id)}/events?${new URLSearchParams({ tail: String(turns), ...(before && { before }) })}`, { signal })

/** @param {string} id @returns {Promise<Session>} */
export const getSession = (id) => json(sessionPath(id))

/** @param {string} id @param {{title?: string, head?: string, model?: string}} change @returns {Promise<Session>} */
export const patchSession = (id, change) => json(sessionPath(id), { method: 'PATCH', body: change })

/** @param {string} id @param {boolean} [leaving] the page is about to go: let the request outlive it */
export const deleteSession = (id, leaving) => send(sessionPath(id), { method: 'DELETE', keepalive: leaving })

/**
 * @param {string} id
 * @param {{message: string, parentId?: string, model?: string, attachments?: {path: string}[]}} body
 * @param {string} key
 * @returns {Promise<Run>}
 */
export const startRun = (id, body, key) =>
  json(`${sessionPath(id)}/runs`, { method: 'POST', body, headers: { 'Idempotency-Key': key } })

/** @param {string} id @param {string} messageId @param {string} key @returns {Promise<Run>} */
export const regenerate = (id, messageId, key) =>
  json(`${sessionPath(id)}/regenerate`, { method: 'POST', body: { messageId }, headers: { 'Idempotency-Key': key } })

/** @param {string} id @param {string} [runId] */
export const cancel = (id, runId) => json(`${sessionPath(id)}/cancel`, { method: 'POST', body: runId ? { runId } : {} })

/** @param {string} approvalId @param {string} decision */
export const decide = (approvalId, decision) =>
  json(`/api/approvals/${encodeURIComponent(approvalId)}`, { method: 'POST', body: { decision } })

/** @param {string} id @param {boolean} [leaving] the page is about to go: let the request outlive it */
export const clearHistory = (id, leaving) => json(`/api/history/${encodeURIComponent(id)}`, { method: 'DELETE', keepalive: leaving })

/** One that answers; vision: it reads images; context: its window, in tokens. @typedef {{id: string, provider: string, name: string, default: boolean, context: number, vision: boolean}} Model */

/** @returns {Promise<{models?: Model[]}>} the first is asked first */
export const getModels = () => json('/api/models')

/** @returns {Promise<string>} */
export const exportMemory = async () => (await send('/api/memory/export?format=md', { headers: { Accept: 'text/markdown' } })).text()

/** @returns {Promise<{offline?: boolean, version?: string, provider?: string, maxMessageBytes?: number, scopes?: string[]}>} */
export const getConfig = () => json('/api/config')

/** Where a file of the workspace is asked for; refused where its path may lead elsewhere. @param {string} path */
export function filePath(path) {
  const plain = plainPath(path)
  if (plain === null) throw new Fault({ error: 'this is no path of a file', code: 'invalid_request' }, 400)
  return `/api/files/${plain.split('/').map(encodeURIComponent).join('/')}`
}

/** A file of the workspace, as it is. @param {string} path @param {AbortSignal} [signal] */
export const getFile = async (path, signal) => send(filePath(path), { headers: { Accept: '*/*' }, signal })

/** What a message of a session brought along, as it was then. @param {string} id @param {string} sha256 @param {AbortSignal} [signal] */
export const getAttached = (id, sha256, signal) => send(`${sessionPath(id)}/attached/${encodeURIComponent(sha256)}`, { headers: { Accept: '*/*' }, signal })

/**
 * The last messages of every branch, with the summaries among them, and the list of what is to be done.
 * @param {string} id @param {number} limit
 * @returns {Promise<{messages: {id: string, parentId?: string, summary?: boolean, content: string}[], todo?: {items: import('../chat/state.js').Task[]}}>}
 */
export const getHistory = (id, limit) => json(`/api/history/${encodeURIComponent(id)}?${new URLSearchParams({ tree: '1', limit: String(limit) })}`)
