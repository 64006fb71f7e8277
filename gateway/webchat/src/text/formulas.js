// The renderer of formulas, which is loaded with the first one.

import { chunk } from '../app/chunk.js'

/** @typedef {(tex: string, display: boolean) => string|null} Render */

/** What it gives may be put into the page. */
const part = chunk(() => Promise.all([import('./tex.js'), import('./sanitize.js')]).then(([{ render }, { sanitizeFormula }]) => /** @type {Render} */ ((tex, display) => {
  const mathml = render(tex, display)
  return mathml && sanitizeFormula(mathml)
})))

/** null until it is there. */
export const renderer = part.here
export const wantRenderer = () => { part.want() }
