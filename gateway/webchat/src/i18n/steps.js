// What tools do, as sentences. The words are in steps.en.js and steps.zh.js; how they
// are put together is here.

import { stepWords } from './dictionaries.js'
import { filledIn, language } from './language.js'

/**
 * English: to do it, doing it, done; then one and several of it. Chinese: to do it, then how many.
 * @typedef {keyof typeof import('./steps.en.js').steps.verbs} Verb
 * @typedef {keyof typeof import('./steps.en.js').steps.words} Key
 * @typedef {'asks'|'running'|'ok'|'error'|'denied'|'skipped'|'interrupted'} Form
 * @typedef {object} StepWords
 * @property {Record<Verb, string[]>} verbs
 * @property {Partial<Record<Verb, string>>} things what it is done to where nothing is named
 * @property {Partial<Record<Verb, string>>} failures
 * @property {string[]} origins by `origins` below
 * @property {Record<Key, string>} words
 */

/** What draws these sentences is not shown before its words are here. */
const said = () => /** @type {StepWords} */ (stepWords.words())

const upper = (/** @type {string} */ text) => text[0].toUpperCase() + text.slice(1)

/** A sentence with a place for the thing, `{x}`, where it has one. @param {Verb} verb @param {Form} form @param {boolean} named whether something is named */
export function sentence(verb, form, named) {
  const zh = language.value === 'zh'
  const { verbs, failures, things } = said()
  const [does, doing, done] = verbs[verb]
  const gap = does.endsWith('}') ? ' ' : ''
  /** @type {Record<Form, string>} */
  const forms = zh
    ? { asks: `要${does}${gap}吗？`, running: `正在${does}`, ok: `已${does}`, error: `未能${does}`, denied: `未获允许：${does}`, skipped: `未执行：${does}`, interrupted: `正在${does}${gap}时被中断` }
    : { asks: `${upper(does)}?`, running: doing, ok: done, error: `Could not ${does}`, denied: `Not allowed to ${does}`, skipped: `Did not ${does}`, interrupted: `${doing}: interrupted` }
  forms.error = failures[verb] ?? forms.error
  const thing = things[verb] ?? ''
  return named ? forms[form] : forms[form].replace('{x}', thing)
}

/** @param {{verb: Verb, n: number}[]} counts */
export function counted(counts) {
  const zh = language.value === 'zh'
  const { verbs } = said()
  return counts.map(({ verb, n }) => verbs[verb][zh ? 1 : n === 1 ? 3 : 4].replace('{n}', String(n))).join(zh ? '，' : ', ')
}

/** @param {number} ms */
export function span(ms) {
  const zh = language.value === 'zh'
  const s = Math.round(ms / 1000)
  if (s < 60) return zh ? `${s} 秒` : `${s} s`
  const [min, rest] = [Math.floor(s / 60), s % 60]
  return zh ? `${min} 分${rest ? ` ${rest} 秒` : ''}` : `${min} min${rest ? ` ${rest} s` : ''}`
}

/** Where text of others came from, as the server names it: by the tool that gave it, or in a sentence of its own. */
const origins = [
  /^read_file$/,
  /^(?:list_directory)$/,
  /^files_search$/,
  /^exec_shell$/,
  /^(?:memory_search|memory)$/,
  /^(?:web_fetch)$/,
  /^web search: ([^]*)$/,
  /^attachment ([^]*)$/,
  /^MCP server ([^]*), tool ([^]*)$/,
  /^what the MCP server ([^]*) says of its tools$/,
  /^the skill ([^]*)$/,
  /^a memory that was saved while the model read what others wrote$/,
  /^a file that was written while the model read ([^]*)$/,
]

/** @param {string} source */
export function origin(source) {
  const i = origins.findIndex((form) => form.test(source))
  return i < 0 ? source : source.replace(origins[i], said().origins[i])
}

/** @param {Key} key @param {Record<string, string|number>} [values] */
export const w = (key, values) => filledIn(said().words[key], values)
