// One session of the stub: a list of events that streams replay and follow, and
// pages of the shown branch.

export class Conversation {
  /** @param {string} id @param {(c: Conversation) => void} [changed] */
  constructor(id, changed = () => {}) {
    this.id = id
    this.changed = changed
    /** When it was last used, where a test says so. */
    this.usedAt = ''
    /** Which message a run answers. @type {Map<string, string>} */
    this.answers = new Map()
    this.title = ''
    this.head = ''
    /** @type {any[]} */
    this.events = []
    /** @type {Set<import('node:http').ServerResponse>} */
    this.streams = new Set()
    /** @type {Map<string, any>} */
    this.keys = new Map()
    this.n = 0
    this.epoch = 0
    this.run = ''
    this.user = ''
    this.cancels = 0
    /** What the history says of them. @type {any[]} */
    this.summaries = []
    /** @type {any[]|null} */
    this.todo = null
    /** Every message as it was taken in. @type {any[]} */
    this.bodies = []
    /** Who is asked first; '' is the default. */
    this.model = ''
    /** @type {Map<string, string>} */
    this.decisions = new Map()
  }

  row() {
    const updatedAt = this.usedAt || this.events.findLast((e) => e.type !== 'session_updated')?.timestamp || '2026-01-01T00:00:00.000Z'
    return { id: this.id, title: this.title, createdAt: '2026-01-01T00:00:00.000Z', updatedAt, messages: this.events.filter((e) => e.type === 'message').length, head: this.head, state: this.state(), ...this.said() }
  }

  /** As a list that knows it would say. */
  state() {
    const last = this.events.findLast((e) => e.type === 'run_started' || e.type === 'run_finished')
    if (last?.type === 'run_started' && this.asks()) return 'waiting'
    return last?.type === 'run_started' ? 'running' : last?.status === 'failed' ? 'failed' : 'idle'
  }

  said() {
    return this.model ? { model: this.model } : {}
  }

  asks() {
    const over = new Set(this.events.filter((e) => e.type === 'approval_resolved').map((e) => e.approvalId))
    return this.events.some((e) => e.type === 'approval_required' && e.runId === this.run && !over.has(e.approvalId))
  }

  /** What is asked, as the list of approvals has it. */
  asked() {
    const over = new Set(this.events.filter((e) => e.type === 'approval_resolved').map((e) => e.approvalId))
    const open = this.events.findLast((e) => e.type === 'approval_required' && e.runId === this.run && !over.has(e.approvalId))
    return open && { approvalId: open.approvalId, sessionId: this.id, name: open.name, scope: open.scope, expiresAt: open.expiresAt }
  }

  /** @param {any} change */
  patch(change) {
    if (change.model !== undefined) this.model = change.model
    if (change.title !== undefined) this.title = change.title
    if (change.title !== undefined || change.model !== undefined) this.emit('session_updated', { title: this.title, ...this.said() })
    if (change.head !== undefined) {
      this.head = change.head
      for (let next; (next = this.events.findLast((e) => isMessage(e) && e.parentId === this.head));) this.head = next.messageId
      this.changed(this)
    }
  }

  /** @param {string} type @param {any} [fields] */
  emit(type, fields = {}) {
    const event = { type, sessionId: this.id, cursor: `${this.epoch}.${this.events.length + 1}`, timestamp: new Date().toISOString(), ...fields }
    this.events.push(event)
    for (const res of this.streams) res.write(frame(event))
    this.changed(this)
    this.settle()
    return event
  }

  /** Ends the streams that are to end when nothing goes on. */
  settle() {
    setTimeout(() => {
      if (['running'].includes(this.state())) return
      for (const res of this.streams) {
        if (!untilIdle.has(res)) continue
        this.streams.delete(res)
        res.end(': idle\n\n')
      }
    })
  }

  /** The messages of the shown branch, the oldest first. */
  path() {
    const path = []
    for (let at = this.head; at;) {
      const e = this.events.findLast((m) => isMessage(m) && m.messageId === at)
      if (!e) break
      path.unshift(e)
      at = e.parentId
    }
    return path
  }

  /** A page of turns, as JSON. @param {number} n @param {string} before */
  page(n, before) {
    const end = before ? Number(before.slice(1)) : Infinity
    const path = this.path()
    const users = path.filter((e) => e.role === 'user' && this.events.indexOf(e) < end)
    const shown = new Set(users.slice(-n).map((e) => e.messageId))
    const runs = new Set(path.filter((e) => e.role !== 'user' && shown.has(e.parentId)).map((e) => e.runId))
    for (const id of shown) if (!path.some((e) => e.role !== 'user' && e.parentId === id)) runs.add([...this.answers].findLast(([, m]) => m === id)?.[0])
    if (!before && this.state() !== 'idle') {
      runs.add(this.run)
      shown.add(this.user)
    }
    const first = users.at(-n)
    const events = this.events.filter((e) => (e.type === 'message' ? shown.has(e.messageId) : runs.has(e.runId))).map((e) => this.placed(e))
    return { events, next: `${this.epoch}.${this.events.length}`, ...(users.length > n ? { before: `b${this.events.indexOf(first)}` } : {}) }
  }

  /** With what stands in the same place. @param {any} e */
  placed(e) {
    if (!isMessage(e)) return e
    const siblings = this.events.filter((m) => isMessage(m) && (m.parentId ?? '') === (e.parentId ?? '')).map((m) => m.messageId)
    return siblings.length > 1 ? { ...e, siblings } : e
  }

  /** @param {any} body @param {string} key @param {(status: number, body: any) => void} reply */
  start(body, key, reply) {
    const known = this.keys.get(key)
    if (known) return reply(202, known)
    const { attachments, refusal } = body.brought ?? {}
    if (refusal) return reply(refusal[0], refusal[1])
    this.bodies.push({ ...body, brought: undefined })
    const messageId = `m${++this.n}`
    const runId = `r${this.n}`
    const answer = { runId, messageId, sessionId: this.id, cursor: '' }
    this.keys.set(key, answer)
    const parentId = body.parentId ?? this.head
    this.emit('message', { runId, messageId, role: 'user', content: body.message, ...(parentId ? { parentId } : {}), ...(attachments?.length ? { attachments } : {}) })
    this.head = messageId
    if (body.model !== undefined) this.model = body.model
    if (!this.title) this.emit('session_updated', { title: (this.title = body.message.slice(0, 40)), ...this.said() })
    this.begin(runId, messageId)
    reply(202, answer)
  }

  /** @param {string} runId @param {string} user */
  begin(runId, user) {
    this.run = runId
    this.user = user
    this.answers.set(runId, user)
    this.emit('run_started', { runId })
  }

  /** @param {string} messageId */
  regenerate(messageId) {
    const runId = `r${++this.n}`
    this.begin(runId, messageId)
    return { runId, messageId, sessionId: this.id, cursor: '' }
  }

  /** What the model says next. @param {string} content */
  chunk(content) {
    this.emit('message_chunk', { runId: this.run, messageId: 'a-' + this.run, parentId: this.user, content })
  }

  /** A call of a tool, and what came of it, if anything did. @param {string} callId @param {string} name @param {any} args @param {string} [status] @param {string} [output] @param {any} [more] */
  step(callId, name, args, status, output = '', more = {}) {
    this.emit('tool_call', { runId: this.run, callId, name, arguments: args, ...more })
    if (status) this.emit('tool_result', { runId: this.run, callId, name, status, output })
  }

  /** A call that needs a decision. @param {string} callId @param {string} name @param {any} args @param {string} scope @param {any} [more] */
  ask(callId, name, args, scope, more = {}) {
    const call = { runId: this.run, callId, name, arguments: args }
    this.emit('tool_call', call)
    this.emit('approval_required', { ...call, approvalId: `p-${callId}`, scope, decisions: ['once', 'turn', 'session', 'remember_7d', 'deny'], expiresAt: '2099-01-01T00:00:00.000Z', ...more })
  }

  /** @param {string} content @param {any} [more] */
  complete(content, more = {}) {
    this.emit('message_complete', { runId: this.run, messageId: 'a-' + this.run, parentId: this.user, role: 'assistant', content, ...more })
    this.head = 'a-' + this.run
    this.changed(this)
  }

  /** @param {string} [status] @param {any} [more] */
  finish(status = 'done', more = {}) {
    this.emit('run_finished', { runId: this.run, status, ...more })
  }

  /** A whole answer. @param {string} content */
  say(content) {
    this.complete(content)
    this.finish()
  }

  cancel() {
    this.cancels++
    const said = this.events.filter((e) => e.type === 'message_chunk' && e.runId === this.run).map((e) => e.content).join('')
    if (said) this.complete(said, { incomplete: true })
    this.finish('cancelled')
    return {}
  }

  /** @param {string} approvalId @param {string} decision */
  resolve(approvalId, decision) {
    if (!this.events.some((e) => e.approvalId === approvalId)) return false
    this.decisions.set(approvalId, decision)
    this.emit('approval_resolved', { runId: this.run, approvalId, decision })
    return true
  }

  clear() {
    this.events = []
    this.epoch++
    this.head = ''
    for (const res of this.streams) res.write(frame({ type: 'history_cleared', sessionId: this.id, timestamp: new Date().toISOString() }))
    this.changed(this)
  }

  /** Says something to the streams that is no part of the session. @param {any} event */
  tell(event) {
    for (const res of this.streams) res.write(frame({ ...event, sessionId: this.id, timestamp: new Date().toISOString() }))
  }

  /** Breaks every stream, in the middle of an event if asked. @param {string} [junk] */
  cut(junk = '') {
    for (const res of this.streams) {
      if (junk) res.write(junk)
      setTimeout(() => res.destroy(), 20)
    }
    this.streams.clear()
  }

  /** @param {string} after @param {import('node:http').ServerResponse} res @param {boolean} [ends] when nothing goes on */
  stream(after, res, ends = false) {
    res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' })
    res.write(': hello\n\n')
    const [epoch, at] = after ? after.split('.').map(Number) : [this.epoch, 0]
    if (epoch !== this.epoch) res.write(frame({ type: 'history_cleared', sessionId: this.id, timestamp: new Date().toISOString() }))
    for (const event of this.events.slice(epoch === this.epoch ? at : 0)) res.write(frame(event))
    this.streams.add(res)
    res.on('close', () => this.streams.delete(res))
    if (ends) untilIdle.add(res)
    if (ends) this.settle()
  }
}

/** @type {WeakSet<import('node:http').ServerResponse>} */
const untilIdle = new WeakSet()
const isMessage = (/** @type {any} */ e) => e.type === 'message' || e.type === 'message_complete'

/** @param {any} event */
export const frame = (event) => `${event.cursor ? `id: ${event.cursor}\n` : ''}event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`
