// What a call of a tool does, as data: a verb, and the thing that it is done to.
// Which words say it is the matter of i18n/steps.js.

import { webHost } from '../text/links.js'

/** @typedef {import('./state.js').Call} Call */
/** @typedef {import('./state.js').Item} Item */
/** @typedef {import('../i18n/steps.js').Verb} Verb */

/**
 * @typedef {object} Step
 * @property {Verb} verb
 * @property {string} object what it is done to, as a reader would say it; '' where the verb says it all
 * @property {string} full the same, whole
 * @property {Kind} kind
 */

/** @typedef {'file'|'write'|'folder'|'search'|'web'|'page'|'command'|'memory'|'clock'|'plan'|'skill'|'tool'} Kind how it looks */

/** @typedef {{verb: Verb, kind: Kind, arg?: string, bare?: Verb}} Row bare: the verb where the argument is missing or empty */

/** What the agent's own tools do. @type {Record<string, Row>} */
const known = {
  read_file: { verb: 'read', kind: 'file', arg: 'path' },
  write_file: { verb: 'write', kind: 'write', arg: 'path' },
  list_directory: { verb: 'list', kind: 'folder', arg: 'path', bare: 'listAll' },
  files_search: { verb: 'find', kind: 'search', arg: 'query' },
  exec_shell: { verb: 'run', kind: 'command', arg: 'command' },
  web_search: { verb: 'search', kind: 'web', arg: 'query' },
  web_fetch: { verb: 'open', kind: 'page', arg: 'url' },
  memory_save: { verb: 'remember', kind: 'memory', arg: 'content' },
  memory_search: { verb: 'recall', kind: 'memory', arg: 'query', bare: 'recallAll' },
  memory_forget: { verb: 'forget', kind: 'memory', arg: 'id' },
  get_current_time: { verb: 'timeIn', kind: 'clock', arg: 'timezone', bare: 'time' },
  todo_write: { verb: 'plan', kind: 'plan' },
  skill_read: { verb: 'skill', kind: 'skill', arg: 'name' },
  mcp_search: { verb: 'tools', kind: 'search', arg: 'query' },
}

/** As much of the thing as stands in a sentence. */
const LONGEST = 120

/** The value of an argument, where it is text. @param {unknown} args @param {string} name @returns {string} */
export function argument(args, name) {
  const value = args && typeof args === 'object' && Object.hasOwn(args, name) ? /** @type {any} */ (args)[name] : ''
  return typeof value === 'string' ? value : ''
}

/** @param {{name: string, args: unknown}} call @returns {Step} */
export function stepOf({ name, args }) {
  const row = Object.hasOwn(known, name) ? known[name] : undefined
  if (!row) {
    return { verb: 'use', kind: 'tool', object: namesOf(name).map((part) => brief(part.replaceAll(BETWEEN, ''))).join(BETWEEN), full: name }
  }
  const full = row.arg ? argument(args, row.arg).trim() || argument(args, otherNames[row.arg] ?? '').trim() : ''
  const empty = !full || (name === 'list_directory' && /^\.?\/*$/.test(full))
  if (empty) return { verb: row.bare ?? row.verb, kind: row.kind, object: '', full: '' }
  return { verb: row.verb, kind: row.kind, object: brief(row.kind === 'page' ? place(full) : full), full }
}

/** As older versions call an argument. @type {Record<string, string>} */
const otherNames = { query: 'keyword' }

/** Stands between a server and its tool: no name holds it, so none can look like two. */
export const BETWEEN = '\0'

/** Tools of MCP servers are called by their server and their own name. @param {string} name */
function namesOf(name) {
  const [, server, tool] = /^mcp__(.+?)__(.+)$/s.exec(name) ?? []
  return server ? [server, tool] : [name]
}

/** An address as its host and path; what is none as it is. @param {string} address */
export function place(address) {
  const url = webHost(address)
  if (!url) return address
  return url.host + (url.pathname === '/' ? '' : readable(url.pathname)) + (url.search ? '?…' : '')
}

/** @param {string} path */
function readable(path) {
  try {
    return decodeURI(path)
  } catch {
    return path
  }
}

/** Never a part as if it were all. @param {string} text */
export function brief(text) {
  const line = text.slice(0, 4 * LONGEST).trim().split(/\r?\n/, 1)[0]
  const shown = line.length > LONGEST ? line.slice(0, LONGEST).replace(/[\ud800-\udbff]$/, '').trimEnd() : line
  return shown.length < text.trim().length ? `${shown} …` : shown
}

/** How long it ran, in milliseconds; 0 where that is not known. @param {{startedAt: string, endedAt: string}} what @param {number} [now] */
export function lasted({ startedAt, endedAt }, now = 0) {
  const end = endedAt ? Date.parse(endedAt) : now
  const ms = end - Date.parse(startedAt)
  return Number.isFinite(ms) && ms > 0 ? ms : 0
}

/**
 * What several calls did, each verb once, in the order in which they came. The same
 * file twice is one file.
 * @param {Call[]} calls @returns {{verb: Verb, n: number}[]}
 */
export function tally(calls) {
  /** @type {Map<Verb, Set<string>>} */
  const things = new Map()
  for (const call of calls) {
    const { verb, full, kind } = stepOf(call)
    const seen = things.get(verb) ?? things.set(verb, new Set()).get(verb)
    seen?.add(kind === 'file' || kind === 'write' || kind === 'folder' || kind === 'page' ? full : call.callId)
  }
  return [...things].map(([verb, seen]) => ({ verb, n: seen.size }))
}

/**
 * @typedef {{kind: 'answer', id: string} | {kind: 'thought', thought: import('./state.js').Thought}
 *   | {kind: 'steps', key: string, items: Item[], calls: Call[]} | {kind: 'asks', call: Call, n: number, of: number}} Block
 */

/**
 * What is drawn of a run: calls in a row are one block, with what was thought between
 * them; a call that asks stands for itself.
 * @param {Item[]} items @param {(id: string) => boolean} says whether there is something in an answer to read
 * @returns {Block[]}
 */
export function blocksOf(items, says) {
  const of = items.filter((i) => i.kind === 'call' && i.call.state === 'approval').length
  /** @type {Block[]} */
  const blocks = []
  /** @type {Item[]} */
  let row = []
  let n = 0
  const close = () => {
    // What was thought after the last call belongs to what follows.
    const last = row.findLastIndex((i) => i.kind === 'call')
    const calls = row.flatMap((i) => (i.kind === 'call' ? [i.call] : []))
    if (calls.length) blocks.push({ kind: 'steps', key: calls[0].callId, items: row.slice(0, last + 1), calls })
    for (const i of row.slice(last + 1)) if (i.kind === 'thought') blocks.push(i)
    row = []
  }
  for (const item of items) {
    if (item.kind === 'call' && item.call.state !== 'approval') row.push(item)
    else if (item.kind === 'thought' && row.length) row.push(item)
    else if (item.kind === 'answer' && !says(item.id)) continue
    else {
      close()
      if (item.kind === 'call') blocks.push({ kind: 'asks', call: item.call, n: ++n, of })
      else blocks.push(item)
    }
  }
  close()
  return blocks
}
