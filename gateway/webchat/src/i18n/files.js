// What is said of files in the composer and with messages.

import { fileWords } from './dictionaries.js'
import { filledIn } from './language.js'

/** @typedef {typeof import('./files.en.js').files} FileWords */

/** What draws files is not shown before its words are here. */
const here = () => /** @type {FileWords} */ (fileWords.words())

/** @param {keyof FileWords['words']} key @param {Record<string, string|number>} [values] */
export const f = (key, values) => filledIn(here().words[key], values)

/** Why a model was shown nothing of a file, in the reader's language where we know it. @param {string} error */
export function problemText(error) {
  const size = /^it has (\d+ × \d+) pixels; at most 40 megapixels are read$/.exec(error)?.[1]
  if (size) return f('tooManyPixels', { size })
  const problems = /** @type {Record<string, string>} */ (here().problems)
  return `${f('unread')} ${Object.hasOwn(problems, error) ? problems[error] : error}`
}
