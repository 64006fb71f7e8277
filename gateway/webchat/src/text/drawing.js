// A drawing of an answer, as the address of a picture. A browser draws a picture
// without running or fetching anything, whatever is in it; what is taken out before
// is what could keep it busy.

const LONGEST = 64 * 1024
const MOST_ELEMENTS = 1000
/** How wide or high it may be, in pixels; and is at least, where it does not say: as a browser has it. */
const LARGEST = 1200
const USUAL = 300
/**
 * What an HTML parser begins anew in each paragraph that follows: a few hundred of them
 * become millions. And styles, of which the browser would complain.
 */
const renamed = /<(\/?)(?=(?:[abisu]|big|code|em|font|nobr|small|strike|strong|style|tt)[\s/>])/gi
/** A part of the drawing itself, and perhaps a colour where that is missing. */
const inside = /^\s*url\(\s*(["']?)#[\w.:-]+\1\s*\)(?:\s+[\w#]+)?\s*$/i
/** What is left out without changing what one sees. */
const silent = /^(?:#comment|body$|xmlns|version|class|role|aria-|data-|xml:space|baseprofile)/

/** @typedef {{address: string, name: string, partial: boolean}} Drawing partial: something of it is not drawn */

/**
 * @param {string} source @param {typeof import('./sanitize.js').sanitizeDrawing} sanitize
 * @returns {Drawing|null} null where it is none, or too large
 */
export function drawingOf(source, sanitize) {
  // Counted before it is read: what is taken out costs time, too.
  if (source.length > LONGEST || (source.match(/<[a-z]/gi)?.length ?? 0) > MOST_ELEMENTS) return null
  const { body, left } = sanitize(harmless(source))
  const svg = body.querySelector('svg')
  if (!svg) return null
  let partial = left.some((name) => name && !silent.test(name))
  // A picture fetches nothing, so what it would fetch is not asked for either.
  for (const el of svg.querySelectorAll('*')) {
    for (const { name, value } of [...el.attributes]) {
      if (!/url\(|\\/i.test(value) || inside.test(value)) continue
      el.removeAttribute(name)
      partial = true
    }
  }
  const size = sizeOf(svg)
  if (!size) return null
  svg.setAttribute('viewBox', size.box.join(' '))
  svg.setAttribute('width', String(size.width))
  svg.setAttribute('height', String(size.height))
  const text = new XMLSerializer().serializeToString(svg)
  return { address: `data:image/svg+xml,${encodeURIComponent(text)}`, name: svg.querySelector('title')?.textContent?.trim().slice(0, 200) || 'SVG', partial }
}

/**
 * Styles and handlers, which the policy forbids and the browser would complain of while
 * it reads them, are given names that mean nothing, and taken out with those.
 * @param {string} source
 */
const harmless = (source) => source.replace(renamed, '<$1x-').replace(/<[a-z][^<>]*>/gi, (tag) => tag.replace(/([\s"'/])(style|on\w+)(?=\s*=)/gi, '$1x-$2'))

/** @param {Element} svg @returns {{box: number[], width: number, height: number}|null} */
function sizeOf(svg) {
  const said = ['width', 'height'].map((name) => Math.min(1e9, Number(/^\s*([\d.e+-]+)(?:px)?\s*$/i.exec(svg.getAttribute(name) ?? '')?.[1]) || 0))
  const box = (svg.getAttribute('viewBox') ?? '').trim().split(/[\s,]+/).map(Number)
  if (box.length !== 4 || !box.every(Number.isFinite)) box.splice(0, box.length, 0, 0, said[0] || USUAL, said[1] || USUAL / 2)
  const ratio = box[2] / box[3]
  const width = said[0] || said[1] * ratio || box[2]
  const height = said[1] || said[0] / ratio || box[3]
  if (!(box[2] > 0 && box[3] > 0 && width > 0 && height > 0) || width / height > 100 || height / width > 100) return null
  const longer = Math.max(width, height)
  const scale = Math.min(LARGEST, said[0] || said[1] ? longer : Math.max(longer, USUAL)) / longer
  return { box, width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) }
}
