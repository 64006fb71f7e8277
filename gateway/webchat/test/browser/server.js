// A server that speaks the contract as far as the page needs it, with a model
// that says what a test tells it to, and a hand on the wire to cut it.

import { createServer } from 'node:http'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { createHash } from 'node:crypto'
import { Conversation, frame } from './conversation.js'
import { Workspace } from './workspace.js'
import { Outside } from './outside.js'

const dist = fileURLToPath(new URL('../../dist/', import.meta.url))
const types = /** @type {Record<string, string>} */ ({ js: 'text/javascript', css: 'text/css', html: 'text/html; charset=utf-8', svg: 'image/svg+xml', txt: 'text/plain' })

export const policy = [
  "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:", "connect-src 'self'", "base-uri 'none'",
  "form-action 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'", 'trusted-types dompurify loongclaw',
].join('; ')

export class Stub {
  constructor() {
    /** @type {Map<string, Conversation>} */
    this.conversations = new Map()
    /** What requests are answered with before anything else. @type {((req: import('node:http').IncomingMessage, body: any) => [number, any, Record<string, string>?]|'cut'|undefined)|null} */
    this.interfere = null
    /** @type {string[]} */
    this.requests = []
    this.workspace = new Workspace()
    /** @type {any[]} */
    this.models = []
    this.token = ''
    /** Whether a session's cookie can be set here. */
    this.cookies = true
    this.codes = new Map()
    this.offline = false
    /** What is in the workspace, by its path. */
    this.files = this.workspace.files
    /** Servers of tools, and skills. */
    this.outside = new Outside()
    /** @type {string[]|undefined} */
    this.scopes = ['read', 'chat', 'admin']
    /** What was told of changes of the list, and to whom. @type {any[]} */
    this.told = []
    /** @type {Set<import('node:http').ServerResponse>} */
    this.listStreams = new Set()
    this.server = createServer((req, res) => this.handle(req, res).catch((err) => { res.destroy(err) }))
  }

  async start() {
    await new Promise((resolve) => this.server.listen(0, '127.0.0.1', () => resolve(undefined)))
    const address = /** @type {import('node:net').AddressInfo} */ (this.server.address())
    this.url = `http://127.0.0.1:${address.port}`
    return this
  }

  stop() {
    this.server.closeAllConnections()
    return new Promise((resolve) => this.server.close(resolve))
  }

  /** @param {string} id */
  conversation(id) {
    let c = this.conversations.get(id)
    /** @type {any} */
    let open
    const changed = (/** @type {Conversation} */ now) => {
      this.tell({ type: 'session_changed', sessionId: id, session: now.row() })
      const asked = now.asked()
      if (asked?.approvalId === open?.approvalId) return
      this.tell({ type: 'approval_changed', sessionId: id, approval: asked ?? { ...open, decision: 'once' } })
      open = asked
    }
    if (!c) this.conversations.set(id, (c = new Conversation(id, changed)))
    return c
  }

  /** Something in the list changed. @param {any} event */
  tell(event) {
    const told = { ...event, cursor: `l${this.told.length + 1}`, timestamp: new Date().toISOString() }
    this.told.push(told)
    for (const res of this.listStreams) res.write(frame(told))
  }

  /** @param {string} after @param {import('node:http').ServerResponse} res */
  listStream(after, res) {
    res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' })
    res.write(': hello\n\n')
    for (const told of this.told.slice(Number(after.slice(1)))) res.write(frame(told))
    this.listStreams.add(res)
    res.on('close', () => this.listStreams.delete(res))
  }

  /** @param {import('node:http').IncomingMessage} req @param {import('node:http').ServerResponse} res */
  async handle(req, res) {
    const url = new URL(req.url ?? '/', 'http://stub')
    const body = await bodyOf(req)
    this.requests.push(`${req.method} ${url.pathname}`)
    const meddled = this.interfere?.(req, body)
    if (meddled === 'cut') return cutShort(res)
    if (meddled) return reply(res, ...meddled)
    if (!url.pathname.startsWith('/api/')) return this.file(url.pathname, res)
    if (url.pathname === '/api/login') return this.login(req, body, res)
    if (url.pathname === '/api/logout') {
      res.writeHead(204, { 'Set-Cookie': 'stub=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict' })
      return res.end()
    }
    if (this.token && !this.known(req)) {
      return reply(res, 401, { error: 'no valid token', code: 'unauthorized', hint: 'send a token', requestId: 'q-401' })
    }
    return this.api(req, res, url, body)
  }

  /** @param {string} path @param {import('node:http').ServerResponse} res */
  async file(path, res) {
    const name = path === '/' || /^\/(s|skills|tools)\/[^/]+$|^\/(tools|needs-you|settings)$/.test(path) ? 'index.html' : path.slice(1)
    try {
      const content = await readFile(dist + name)
      res.writeHead(200, { 'Content-Type': types[name.split('.').at(-1) ?? ''] ?? 'application/octet-stream', 'Content-Security-Policy': policy, 'X-Content-Type-Options': 'nosniff' })
      res.end(content)
    } catch {
      reply(res, 404, { error: 'Not found', code: 'not_found' })
    }
  }

  /** A token wins over a cookie, as in the gateway. @param {import('node:http').IncomingMessage} req */
  known(req) {
    const { authorization, cookie } = req.headers
    return authorization ? authorization === `Bearer ${this.token}` : cookie === `stub=${this.token}`
  }

  /** @param {import('node:http').IncomingMessage} req @param {any} body @param {import('node:http').ServerResponse} res */
  login(req, body, res) {
    const token = body?.code ? this.codes.get(body.code) : this.token && this.known(req) && this.token
    if (!token) return reply(res, 401, { error: 'the code is used or unknown', code: 'unauthorized', hint: 'ask for a new link', requestId: 'q-login' })
    this.codes.delete(body.code)
    const cookie = this.cookies && body.cookie === true
    if (cookie) res.setHeader('Set-Cookie', `stub=${token}; Path=/; HttpOnly; SameSite=Strict`)
    reply(res, 200, { token, user: 'alice', expiresAt: '2099-01-01T00:00:00.000Z', cookie: cookie || undefined })
  }

  /** @param {import('node:http').IncomingMessage} req @param {import('node:http').ServerResponse} res @param {URL} url @param {any} body */
  api(req, res, url, body) {
    const [, , room, rawId, verb, hash] = url.pathname.split('/')
    const id = decodeURIComponent(rawId ?? '')
    const known = this.conversations.get(id)
    if (room === 'mcp' || room === 'skills' || (room === 'files' && this.outside.files.has(decodeURIComponent(url.pathname.slice('/api/files/'.length))))) return this.outside.answer(req.method ?? '', room, url.pathname, body, (status, answer) => (typeof answer === 'string' ? text(res, answer) : reply(res, status, answer)))
    if (room === 'files') return this.workspace.answer(req, decodeURIComponent(url.pathname.slice('/api/files/'.length)), body).then(([status, answer]) => reply(res, status, answer))
    if (room === 'models') return reply(res, 200, { models: this.models })
    if (room === 'config') return reply(res, 200, { wsPort: 80, version: 'test', provider: 'offline', offline: this.offline, scopes: this.scopes })
    if (room === 'memory') return text(res, '# 记忆导出\n')
    if (room === 'approvals' && req.method === 'GET') {
      const waiting = [...this.conversations.values()].filter((c) => c.state() === 'waiting')
      return reply(res, 200, { approvals: waiting.map((c) => c.asked() ?? { approvalId: 'p', sessionId: c.id }) })
    }
    if (room === 'approvals') return this.approve(id, body, res)
    if (room === 'history' && req.method === 'GET') return reply(res, 200, { sessionId: id, messages: known?.summaries ?? [], ...(known?.todo && { todo: { items: known.todo } }) })
    if (room === 'history') {
      known?.clear()
      return reply(res, 200, { success: true, sessionId: id })
    }
    if (!id) return this.page(req, url, res)
    if (id === 'stream' && !verb) return this.listStream(url.searchParams.get('after') ?? '', res)
    if (verb === 'runs') return this.conversation(id).start({ ...body, brought: this.workspace.bring(body.attachments ?? []) }, String(req.headers['idempotency-key']), (status, answer) => reply(res, status, answer))
    if (!known) return reply(res, 404, { error: 'no such session', code: 'not_found', requestId: 'q-404' })
    if (verb === 'events' && url.searchParams.has('tail')) {
      return reply(res, 200, known.page(Number(url.searchParams.get('tail')), url.searchParams.get('before') ?? ''))
    }
    if (verb === 'attached') {
      const kept = this.workspace.kept.get(hash)
      return kept ? reply(res, 200, kept) : reply(res, 404, { error: 'no message of this session brought that along', code: 'not_found', requestId: 'q-404' })
    }
    if (verb === 'events') return known.stream(url.searchParams.get('after') ?? '', res, url.searchParams.get('until') === 'idle')
    if (verb === 'cancel') return reply(res, 200, known.cancel())
    if (verb === 'regenerate') return reply(res, 202, known.regenerate(body.messageId))
    if (req.method === 'DELETE') {
      this.conversations.delete(id)
      this.tell({ type: 'session_removed', sessionId: id })
      return reply(res, 200, { success: true })
    }
    if (req.method === 'PATCH' && body.model && !this.models.some((m) => m.id === body.model)) return reply(res, 400, { error: 'there is no such model here', code: 'invalid_request', requestId: 'q-400' })
    if (req.method === 'PATCH') known.patch(body)
    return reply(res, 200, known.row())
  }

  /** @param {string} id @param {any} body @param {import('node:http').ServerResponse} res */
  approve(id, body, res) {
    for (const c of this.conversations.values()) if (c.resolve(id, body.decision)) return reply(res, 200, { success: true })
    reply(res, 404, { error: 'no such approval', code: 'not_found' })
  }

  /** @param {import('node:http').IncomingMessage} req @param {URL} url @param {import('node:http').ServerResponse} res */
  page(req, url, res) {
    const q = url.searchParams
    const rows = this.list(q.get('q') ?? '')
    const from = Number(q.get('after') ?? 0)
    const to = from + Number(q.get('limit') ?? 200)
    const body = { sessions: rows.slice(from, to), ...(to < rows.length ? { next: String(to) } : {}) }
    const tag = `"${createHash('sha256').update(JSON.stringify(body)).digest('hex').slice(0, 16)}"`
    const more = { ETag: tag, 'X-List-Cursor': `l${this.told.length}` }
    if (req.headers['if-none-match'] !== tag) return reply(res, 200, body, more)
    res.writeHead(304, more)
    res.end()
  }

  /** @param {string} q */
  list(q) {
    return [...this.conversations.values()].map((c) => c.row()).filter((r) => r.title.includes(q)).reverse()
      .sort((a, b) => Date.parse(b.updatedAt) - Date.parse(a.updatedAt))
  }
}

/** @param {import('node:http').IncomingMessage} req */
async function bodyOf(req) {
  const pieces = []
  for await (const piece of req) pieces.push(piece)
  const raw = Buffer.concat(pieces)
  if (req.headers['content-type'] === 'application/octet-stream') return raw
  return raw.length ? JSON.parse(String(raw)) : undefined
}

/** @param {import('node:http').ServerResponse} res @param {number} status @param {any} body @param {Record<string, string>} [headers] */
function reply(res, status, body, headers) {
  const bytes = Buffer.isBuffer(body)
  res.writeHead(status, { 'Content-Type': bytes ? 'application/octet-stream' : 'application/json', 'Cache-Control': 'no-store', ...headers })
  res.end(bytes ? body : JSON.stringify(body))
}

/**
 * An answer that breaks off. Its head is sent, since a browser may by itself
 * repeat a request on which it heard nothing at all.
 * @param {import('node:http').ServerResponse} res
 */
function cutShort(res) {
  res.writeHead(202, { 'Content-Type': 'application/json', 'Content-Length': 500 })
  res.write('{')
  setTimeout(() => res.destroy(), 20)
}

/** @param {import('node:http').ServerResponse} res @param {string} body */
function text(res, body) {
  res.writeHead(200, { 'Content-Type': 'text/markdown; charset=utf-8' })
  res.end(body)
}
