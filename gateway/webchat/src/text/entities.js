// Named character references: those that are about are known, for the others the
// browser is asked, which knows all of them. DOMPurify is not asked for these: it is
// ten times what everything else here weighs.

/** @type {Record<string, string>} */
const common = {
  '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&apos;': "'", '&nbsp;': '\u00a0', '&copy;': '©', '&reg;': '®', '&trade;': '™', '&hellip;': '…', '&mdash;': '—', '&ndash;': '–',
  '&lsquo;': '‘', '&rsquo;': '’', '&ldquo;': '“', '&rdquo;': '”', '&times;': '×', '&deg;': '°', '&middot;': '·', '&bull;': '•', '&rarr;': '→', '&larr;': '←', '&le;': '≤', '&ge;': '≥', '&ne;': '≠',
}

/** @type {Map<string, string>} */
const known = new Map(Object.entries(common))

/** A reference alone can make no element, so nothing has to be taken out of it. */
const reference = /^&[A-Za-z][A-Za-z\d]*;$/

/** What the browser may be asked. @param {string} text */
export const asked = (text) => (reference.test(text) ? text : '')

/** @type {{createHTML: (text: string) => any}|undefined} */
let door

/** @param {string} entity */
function ask(entity) {
  door ??= /** @type {any} */ (globalThis).trustedTypes?.createPolicy('loongclaw', { createHTML: asked }) ?? { createHTML: asked }
  const span = document.createElement('span')
  span.innerHTML = /** @type {NonNullable<typeof door>} */ (door).createHTML(entity)
  return span.textContent ?? ''
}

/** What it stands for; as it was written where nobody knows. @param {string} entity @returns {string} */
export function charactersOf(entity) {
  let text = known.get(entity)
  if (text === undefined) {
    text = ask(entity) || entity
    known.set(entity, text)
  }
  return text
}
