// Named character references: those that are about are known, for the others the
// browser is asked, which knows all of them.

import { signal } from '@preact/signals'

/** @type {Record<string, string>} */
const common = {
  '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&apos;': "'", '&nbsp;': '\u00a0', '&copy;': '©', '&reg;': '®', '&trade;': '™', '&hellip;': '…', '&mdash;': '—', '&ndash;': '–',
  '&lsquo;': '‘', '&rsquo;': '’', '&ldquo;': '“', '&rdquo;': '”', '&times;': '×', '&deg;': '°', '&middot;': '·', '&bull;': '•', '&rarr;': '→', '&larr;': '←', '&le;': '≤', '&ge;': '≥', '&ne;': '≠',
}

/** @type {Map<string, string>} */
const known = new Map(Object.entries(common))

/** Asks the browser; null until what lets HTML in is loaded. @type {import('@preact/signals').Signal<((entity: string) => string)|null>} */
const browser = signal(/** @type {((entity: string) => string)|null} */ (null))
/** @type {Promise<unknown>|undefined} */
let loading

/** What it stands for; as it was written until that is known. @param {string} entity @returns {string} */
export function charactersOf(entity) {
  let text = known.get(entity)
  if (text !== undefined) return text
  if (!browser.value) {
    loading ??= import('./sanitize.js').then((m) => {
      browser.value = (html) => {
        const span = document.createElement('span')
        span.innerHTML = m.sanitize(html)
        return span.textContent ?? ''
      }
    }, () => { loading = undefined }) // offline: the next one tries again
    return entity
  }
  known.set(entity, (text = browser.value(entity)))
  return text
}
