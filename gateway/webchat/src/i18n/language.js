// Which language the page speaks, and its words. A reader needs one language, so
// each is a chunk of its own.

import { signal } from '@preact/signals'
import { local } from '../app/storage.js'

/** @typedef {keyof typeof import('./en.js').en} Key */

const NAME = 'loongclaw.language'
/** When words that could not be fetched are asked for again. */
const AGAIN = 1000
const chunks = {
  en: () => import('./en.js').then((m) => m.en),
  zh: () => import('./zh.js').then((m) => m.zh),
}
/** @type {Partial<Record<'zh'|'en', Record<Key, string>>>} */
const words = {}

/** @param {readonly string[]} wanted @returns {'zh'|'en'} the first that we speak; Chinese is the original's */
export function choose(wanted) {
  for (const tag of wanted) {
    if (/^zh\b/i.test(tag)) return 'zh'
    if (/^en\b/i.test(tag)) return 'en'
  }
  return wanted.length ? 'en' : 'zh'
}

function initial() {
  if (typeof document === 'undefined') return 'en'
  const saved = local.getItem(NAME)
  return saved === 'zh' || saved === 'en' ? saved : choose(navigator.languages)
}

export const language = signal(/** @type {'zh'|'en'} */ (initial()))

/** @param {'zh'|'en'} [which] */
export async function loadWords(which = language.peek()) {
  words[which] ??= await chunks[which]()
}

/** Its tag, for dates and numbers; English with the day before the month, on 24 hours. */
export const locale = () => (language.value === 'zh' ? 'zh-CN' : 'en-GB')

/** @param {string} at @returns {string} a day and a time */
export const moment = (at) => new Date(at).toLocaleString(locale(), { dateStyle: 'medium', timeStyle: 'short' })

/** The page shows nothing without its words. */
export async function haveWords() {
  while (!words[language.peek()]) {
    await loadWords().catch(() => new Promise((resolve) => { setTimeout(resolve, AGAIN) }))
  }
}

export async function switchLanguage() {
  const other = language.peek() === 'zh' ? 'en' : 'zh'
  try {
    await loadWords(other)
  } catch {
    return // offline: it stays as it is
  }
  language.value = other
  local.setItem(NAME, other)
}

// Where there is no page there are only tests, and nothing to wait for.
if (typeof document === 'undefined') await Promise.all([loadWords('en'), loadWords('zh')])

/** A text with `{name}`s in it, and what stands there. @param {string} text @param {Record<string, string|number>} [values] */
export const filledIn = (text, values) => (values ? text.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? '')) : text)

/** @param {Key} key @param {Record<string, string|number>} [values] */
export function t(key, values) {
  return filledIn(words[language.value]?.[key] ?? '', values)
}
