// What a closed card of a tool says.

/** Arguments that say it best, the best first. */
const telling = ['command', 'path', 'url', 'query', 'keyword', 'pattern', 'name', 'title', 'timezone', 'id']

const LONGEST = 200

/** The one argument that says it, for the closed card: never what is written into a file, and never a part as if it were all. @param {unknown} args */
export function gist(args) {
  if (!args || typeof args !== 'object') return ''
  const texts = Object.entries(args).filter(([, v]) => typeof v === 'string' && v.trim())
  const best = telling.map((key) => texts.find(([k]) => k === key)).find(Boolean) ?? texts.sort((a, b) => a[1].length - b[1].length)[0]
  const text = best?.[1].trim() ?? ''
  const shown = text.split('\n', 1)[0].slice(0, LONGEST).trimEnd()
  return shown.length < text.length ? `${shown} …` : shown
}
