// Which language the page speaks, and its words.

import { signal } from '@preact/signals'
import { en } from './en.js'
import { zh } from './zh.js'
import { local } from '../app/storage.js'

/** @typedef {keyof typeof en} Key */

const NAME = 'loongclaw.language'
const words = { en, zh }

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

export function switchLanguage() {
  language.value = language.value === 'zh' ? 'en' : 'zh'
  local.setItem(NAME, language.value)
}

/** @param {Key} key @param {Record<string, string|number>} [values] */
export function t(key, values) {
  const text = words[language.value][key]
  return values ? text.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? '')) : text
}
