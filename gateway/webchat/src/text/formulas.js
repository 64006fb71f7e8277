// The renderer of formulas, which is loaded with the first one.

import { signal } from '@preact/signals'

/** @typedef {(tex: string, display: boolean) => string|null} Render */

/** null until it is there. @type {import('@preact/signals').Signal<Render|null>} */
export const renderer = signal(/** @type {Render|null} */ (null))

/** @type {Promise<unknown>|undefined} */
let loading

export function wantRenderer() {
  loading ??= import('./tex.js').then(
    (m) => { renderer.value = m.render },
    () => { loading = undefined }, // offline: the source is shown, the next formula tries again
  )
}
