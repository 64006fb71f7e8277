// The renderer of formulas, which is loaded with the first one.

import { signal } from '@preact/signals'

/** @typedef {(tex: string, display: boolean) => string|null} Render */

/** null until it is there; what it gives may be put into the page. @type {import('@preact/signals').Signal<Render|null>} */
export const renderer = signal(/** @type {Render|null} */ (null))

/** @type {Promise<unknown>|undefined} */
let loading

export function wantRenderer() {
  loading ??= Promise.all([import('./tex.js'), import('./sanitize.js')]).then(
    ([{ render }, { sanitizeFormula }]) => {
      renderer.value = (tex, display) => {
        const mathml = render(tex, display)
        return mathml && sanitizeFormula(mathml)
      }
    },
    () => { loading = undefined }, // offline: the source is shown, the next formula tries again
  )
}
