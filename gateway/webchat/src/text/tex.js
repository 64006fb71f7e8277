// The chunk with temml: TeX into MathML, or null where it cannot be drawn.

// @ts-expect-error the package declares its bundle only, which holds parts that are not needed here
import temml from 'temml/temml.js'

import { withoutStyles } from './looks.js'

/** Longer or deeper ones are shown as they were written. */
const LONGEST = 8000
const DEEPEST = 60
const MOST_KEPT = 2000

/** @type {Map<string, string|null>} */
const kept = new Map()

/** @param {string} tex @param {boolean} display @returns {string|null} MathML that is not yet to be trusted */
export function render(tex, display) {
  const key = `${display}${tex}`
  const known = kept.get(key)
  if (known !== undefined) return known
  const made = make(tex, display)
  if (kept.size >= MOST_KEPT) kept.clear()
  kept.set(key, made)
  return made
}

/** @param {string} tex @param {boolean} display */
function make(tex, display) {
  if (!tex || tex.length > LONGEST || depth(tex) > DEEPEST) return null
  try {
    return withoutStyles(temml.renderToString(tex, { displayMode: display, throwOnError: true, trust: false, maxExpand: 1000, maxSize: [20, 500], strict: false }))
  } catch {
    return null
  }
}

/** @param {string} tex */
function depth(tex) {
  let now = 0
  let most = 0
  for (const [, c] of tex.matchAll(/(\{|\\left\b|\\begin\b)|\}|\\right\b|\\end\b/g)) most = Math.max(most, (now += c ? 1 : -1))
  return most
}
