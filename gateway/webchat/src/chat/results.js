// What a tool gave back, read as what it is. Nothing here trusts a field: what has not
// the form that is known is text.

import { webAddress, webHost } from '../text/links.js'
import { argument } from './steps.js'

/**
 * @typedef {{kind: 'text', text: string, note?: string}
 *   | {kind: 'terminal', out: string, errors: string, exit: number, note: string}
 *   | {kind: 'sources', sources: Source[], note: string}
 *   | {kind: 'hits', hits: {path: string, line: number, text: string}[], note: string}
 *   | {kind: 'names', names: {name: string, folder: boolean}[], note: string}
 *   | {kind: 'memories', memories: {content: string, day: string}[], note: string}
 *   | {kind: 'data', value: unknown}
 *   | {kind: 'none'}} Result
 *
 * @typedef {{title: string, url: string, host: string, snippet: string, date: string}} Source url: '' where it leads nowhere safe
 */

/** Longer output is text, whatever is in it. */
const LONGEST = 4_000_000

/** @param {{name: string, output: string, state: string}} call @returns {Result} */
export function resultOf({ name, output, state }) {
  if (!output.trim()) return { kind: 'none' }
  if (state !== 'ok' && name !== 'exec_shell') return { kind: 'text', text: output }
  const { value, note } = jsonOf(output)
  switch (name) {
    case 'exec_shell': return terminal(value, note) ?? { kind: 'text', text: output }
    case 'web_search': return list(value, source, (sources) => ({ kind: 'sources', sources, note })) ?? { kind: 'text', text: output }
    case 'files_search': return list(value, hit, (hits) => ({ kind: 'hits', hits, note })) ?? { kind: 'text', text: output }
    case 'list_directory': return names(value, note) ?? { kind: 'text', text: output }
    case 'memory_search': return list(value, memory, (memories) => ({ kind: 'memories', memories, note })) ?? { kind: 'text', text: output }
    case 'get_current_time': return { kind: 'text', text: field(value, 'formatted') || output }
    case 'web_fetch': return fenced(output)
    case 'write_file': case 'memory_save': case 'memory_forget': case 'todo_write': return value === undefined ? { kind: 'text', text: output } : { kind: 'none' }
    default: return value !== null && typeof value === 'object' && !note ? { kind: 'data', value } : { kind: 'text', text: output }
  }
}

/** How a command ended that ran to its end; 0 is well. @param {{name: string, output: string, state: string}} call */
export function exitOf({ name, output, state }) {
  const result = name === 'exec_shell' && state === 'ok' ? terminal(jsonOf(output).value, '') : null
  return result?.kind === 'terminal' ? result.exit : 0
}

/** The first line of what went wrong. @param {{name: string, output: string}} call */
export function reasonOf({ name, output }) {
  const shell = name === 'exec_shell' ? terminal(jsonOf(output).value, '') : null
  const text = shell && shell.kind === 'terminal' ? shell.errors.trim() || shell.out.trim() : output
  return text.trim().split('\n', 1)[0].slice(0, 300)
}

/**
 * JSON, and lines in brackets that the agent adds below it.
 * @param {string} output @returns {{value: unknown, note: string}} value undefined: it is none
 */
export function jsonOf(output) {
  const text = output.trim()
  if (!/^[[{]/.test(text) || text.length > LONGEST) return { value: undefined, note: '' }
  for (let end = text.length, n = 0; end > 0 && n < 4; end = text.lastIndexOf('\n[', end - 1), n++) {
    try {
      return { value: JSON.parse(text.slice(0, end)), note: text.slice(end).trim() }
    } catch {
      // With one line less it may be.
    }
  }
  return { value: undefined, note: '' }
}

/** @param {unknown} value @param {string} name */
const field = (value, name) => argument(value, name)

/**
 * A list whose every entry has the form.
 * @template T @param {unknown} value @param {(entry: unknown) => T|null} read @param {(entries: T[]) => Result} make @returns {Result|null}
 */
function list(value, read, make) {
  if (!Array.isArray(value)) return null
  const entries = value.map(read)
  return entries.every((e) => e !== null) ? make(/** @type {T[]} */ (entries)) : null
}

/** @param {unknown} e @returns {Source|null} */
function source(e) {
  const url = webAddress(field(e, 'url'))
  const title = field(e, 'title')
  if (!title && !field(e, 'url')) return null
  return { title: title || field(e, 'url'), url: url?.href ?? '', host: webHost(field(e, 'url'))?.host ?? field(e, 'url'), snippet: field(e, 'snippet'), date: field(e, 'date') }
}

/** @param {unknown} e */
function hit(e) {
  const path = field(e, 'path')
  const line = Number(/** @type {any} */ (e)?.line) || 0
  return path ? { path, line, text: field(e, 'text') } : null
}

/** @param {unknown} e */
function memory(e) {
  const content = field(e, 'content')
  return content ? { content, day: field(e, 'timestamp').slice(0, 10) } : null
}

/** @param {unknown} value @param {string} note @returns {Result|null} */
function names(value, note) {
  if (!Array.isArray(value)) return null
  /** @type {{name: string, folder: boolean}[]} */
  const entries = []
  const notes = note ? [note] : []
  for (const e of value) {
    const [name, type] = [field(e, 'name'), field(e, 'type')]
    if (!name) return null
    if (type === 'file' || type === 'directory') entries.push({ name, folder: type === 'directory' })
    else notes.push(name)
  }
  return { kind: 'names', names: entries, note: notes.join('\n') }
}

/** @param {unknown} value @param {string} note @returns {Result|null} */
function terminal(value, note) {
  const exit = /** @type {any} */ (value)?.exitCode
  if (typeof exit !== 'number' || typeof /** @type {any} */ (value).stdout !== 'string') return null
  const conflicts = /** @type {any} */ (value).conflicts
  const notes = [field(value, 'note'), ...(Array.isArray(conflicts) ? conflicts.slice(0, 100).map(String) : []), note]
  return { kind: 'terminal', out: field(value, 'stdout'), errors: field(value, 'stderr'), exit, note: notes.filter(Boolean).join('\n') }
}

/** A page between two lines of one word that says that it is no instruction: the reader needs the page. @param {string} output @returns {Result} */
function fenced(output) {
  const [, head, word] = /^(\[[^\n]{1,4096}\])\n([A-Z2-7]{16})\n/.exec(output) ?? []
  const from = word ? head.length + word.length + 2 : 0
  const to = word ? output.lastIndexOf(`\n${word}`) : -1
  if (to < from) return { kind: 'text', text: output }
  return { kind: 'text', text: output.slice(from, to), note: output.slice(to + word.length + 1).trim() }
}
