// A formula: as it was written until the renderer is there, and where it cannot
// be drawn.

import { html } from 'htm/preact'
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import { renderer, wantRenderer } from '../text/formulas.js'

/** @param {{math: string, display: boolean, source: string}} props */
export function Formula({ math, display, source }) {
  const ref = useRef(/** @type {HTMLElement|null} */ (null))
  const render = renderer.value
  useEffect(wantRenderer, [])
  useLayoutEffect(() => {
    const el = /** @type {HTMLElement} */ (ref.current)
    const drawn = render?.(math, display)
    if (drawn) el.innerHTML = drawn
    if (!drawn || !el.textContent) el.textContent = source
  }, [render, math, display, source])
  return html`<span class=${display ? 'math display' : 'math'} ref=${ref}></span>`
}
