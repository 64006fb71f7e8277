// The words of the places that are no conversations.

import { placeWords } from '../i18n/dictionaries.js'
import { filledIn } from '../i18n/language.js'

/** @param {string} key @param {Record<string, string|number>} [values] */
export const w = (key, values) => filledIn(placeWords.words()?.[key] ?? '', values)
