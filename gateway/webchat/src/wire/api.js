// The HTTP API of the same origin. One function per path; nothing here keeps state
// but the token.

import { Fault, faultOf, networkFault } from './fault.js'

/** @typedef {{id: string, title: string, createdAt: string, updatedAt: string, messages: number, head?: string, state?: string}} Session */
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
 * @param {{method?: string, body?: unknown, headers?: Record<string, string>, keepalive?: boolean, signal?: AbortSignal}} [options]
 * @returns {Promise<Response>}
 */
async function send(path, options = {}) {
  const { body, ...rest } = options
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
  if (!response.ok) throw await faultOf(response)
  return response
}

/**
 * @param {string} path
 * @param {Parameters<typeof send>[1]} [options]
 * @returns {Promise<any>}
 */
async function json(path, options) {
  const response = await send(path, options)
  const text = await response.text().catch((err) => { throw networkFault(err) })
  if (text === '') return {}
  try {
    return JSON.parse(text)
  } catch {
    throw new Fault({ error: 'the answer is not JSON', code: 'internal', requestId: response.headers.get('X-Request-Id') || '' }, 502)
  }
}

/** @param {string} id */
export const sessionPath = (id) => `/api/sessions/${encodeURIComponent(id)}`

/** @typedef {{token: string, user: string, expiresAt: string, cookie?: boolean}} Login cookie: the browser keeps it, where no script can read it */

/** @param {string} code @returns {Promise<Login>} */
export const login = (code) => json('/api/login', { method: 'POST', body: { code, cookie: true } })

/** Trades a token for a session. @param {string} secret @returns {Promise<Login>} */
export const trade = (secret) =>
  json('/api/login', { method: 'POST', body: { cookie: true }, headers: { Authorization: `Bearer ${secret}` } })

export const logout = () => send('/api/logout', { method: 'POST' })

/** @param {string} [query] @returns {Promise<{sessions: Session[], next?: string}>} */
export const listSessions = (query) => json(query ? `/api/sessions?q=${encodeURIComponent(query)}` : '/api/sessions')

/** @param {string} id @returns {Promise<Session>} */
export const getSession = (id) => json(sessionPath(id))

/** @param {string} id @param {{title?: string, head?: string}} change @returns {Promise<Session>} */
export const patchSession = (id, change) => json(sessionPath(id), { method: 'PATCH', body: change })

/** @param {string} id @param {boolean} [leaving] the page is about to go: let the request outlive it */
export const deleteSession = (id, leaving) => send(sessionPath(id), { method: 'DELETE', keepalive: leaving })

/**
 * @param {string} id
 * @param {{message: string, parentId?: string}} body
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

/** @returns {Promise<string>} */
export const exportMemory = async () => (await send('/api/memory/export?format=md', { headers: { Accept: 'text/markdown' } })).text()

/** @returns {Promise<{offline?: boolean, version?: string, provider?: string, maxMessageBytes?: number}>} */
export const getConfig = () => json('/api/config')
