// A drawing of an answer, as the address of a picture. A browser draws a picture
// without running or fetching anything, whatever is in it; what is taken out before
// is what could keep it busy.

const LONGEST = 64 * 1024
const MOST_ELEMENTS = 1000
/** How wide or high it may want to be, in pixels. */
const LARGEST = 1200
/** What is left out without changing what one sees. */
const silent = /^(?:#comment|body$|xmlns|version|class|role|aria-|data-|xml:space|baseprofile)/

/** @typedef {{address: string, name: string, partial: boolean}} Drawing partial: something of it is not drawn */

/**
 * @param {string} source @param {typeof import('./sanitize.js').sanitizeDrawing} sanitize
 * @returns {Drawing|null} null where it is none, or too large
 */
export function drawingOf(source, sanitize) {
  if (source.length > LONGEST) return null
  // The policy forbids these, and the browser would complain of each while it reads them.
  const { body, left } = sanitize(source.replace(/<[^>]*>/g, (tag) => tag.replace(/([\s"'/])(style|on\w+)(?=\s*=)/gi, '$1no-$2').replace(/^(<\/?)style/i, '$1script')))
  const svg = body.querySelector('svg')
  if (!svg || svg.querySelectorAll('*').length > MOST_ELEMENTS) return null
  let partial = left.some((name) => name && !silent.test(name))
  // A picture fetches nothing, so what it would fetch is not asked for either.
  for (const el of svg.querySelectorAll('*')) {
    for (const { name, value } of [...el.attributes]) {
      if (!/url\(/i.test(value) || /^url\(#[\w-]+\)$/.test(value)) continue
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

/** @param {Element} svg */
function sizeOf(svg) {
  const said = ['width', 'height'].map((name) => parseFloat(svg.getAttribute(name) ?? '') || 0)
  const box = (svg.getAttribute('viewBox') ?? '').trim().split(/[\s,]+/).map(Number)
  if (box.length !== 4 || !box.every(Number.isFinite)) box.splice(0, box.length, 0, 0, said[0] || 300, said[1] || 150)
  return fitted(box)
}

/** @param {number[]} box @returns {{box: number[], width: number, height: number}|null} */
export function fitted(box) {
  const [, , width, height] = box
  if (!(width > 0 && height > 0) || width / height > 100 || height / width > 100) return null
  const scale = Math.min(1, LARGEST / Math.max(width, height))
  return { box, width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) }
}
