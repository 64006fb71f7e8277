// Which language the page speaks, and its words. A reader needs one language, so
// each is a chunk of its own.

import { signal } from '@preact/signals'
import { local } from '../app/storage.js'

/** @typedef {keyof typeof import('./en.js').en} Key */

const NAME = 'loongclaw.language'
/** When words that could not be fetched are asked for again. */
const AGAIN = 1000

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

/** The dictionaries that the page uses by now. @type {Set<{fetch: (which: 'zh'|'en') => Promise<void>}>} */
const used = new Set()

/**
 * The words of a part of the page. Each language of it is a chunk of its own, which
 * is fetched with that part: a reader fetches one.
 * @template T
 * @param {Record<'zh'|'en', () => Promise<T>>} chunks
 */
export function dictionary(chunks) {
  const known = signal(/** @type {Partial<Record<'zh'|'en', T>>} */ ({}))
  const self = {
    /** In the reader's language, where they are here. @returns {T|undefined} */
    words: () => known.value[language.value],
    /** @param {'zh'|'en'} which */
    async fetch(which) {
      if (known.peek()[which]) return
      const found = await chunks[which]()
      known.value = { ...known.peek(), [which]: found }
    },
    /** Has the words here, those of the language that is read when they are. */
    async load() {
      used.add(self)
      while (!known.peek()[language.peek()]) await self.fetch(language.peek())
    },
  }
  return self
}

const page = dictionary({
  en: () => import('./en.js').then((m) => m.en),
  zh: () => import('./zh.js').then((m) => m.zh),
})

/** Its tag, for dates and numbers; English with the day before the month, on 24 hours. */
export const locale = () => (language.value === 'zh' ? 'zh-CN' : 'en-GB')

/** @param {string} at @returns {string} a day and a time */
export const moment = (at) => new Date(at).toLocaleString(locale(), { dateStyle: 'medium', timeStyle: 'short' })

/** The page shows nothing without its words. */
export async function haveWords() {
  await page.load().catch(() => new Promise((resolve) => { setTimeout(() => resolve(haveWords()), AGAIN) }))
}

export async function switchLanguage() {
  const other = language.peek() === 'zh' ? 'en' : 'zh'
  try {
    await Promise.all([...used].map((one) => one.fetch(other)))
  } catch {
    return // offline: it stays as it is
  }
  language.value = other
  local.setItem(NAME, other)
}

/** Has all words of both languages here. Where there is no page there are only tests, and nothing to wait for. @param {ReturnType<typeof dictionary<any>>[]} dictionaries */
export async function forTests(...dictionaries) {
  if (typeof document === 'undefined') await Promise.all(dictionaries.flatMap((one) => [one.fetch('en'), one.fetch('zh')]))
}
await forTests(page)

/** A text with `{name}`s in it, and what stands there. @param {string} text @param {Record<string, string|number>} [values] */
export const filledIn = (text, values) => (values ? text.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? '')) : text)

/** @param {Key} key @param {Record<string, string|number>} [values] */
export function t(key, values) {
  return filledIn(page.words()?.[key] ?? '', values)
}
