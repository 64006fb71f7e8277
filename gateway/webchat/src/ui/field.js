// A field that grows with its text. Enter sends, except while an input method
// composes.

import { html } from 'htm/preact'

/** Chrome says isComposing; Safari ends the composition first and leaves only this code. */
const IME = 229
/** Where a mirror of the text that measures it would cost more than it shows. */
const TALL = 4000

/** @param {KeyboardEvent} e */
export const composing = (e) => e.isComposing || e.keyCode === IME

/**
 * @param {{id?: string, box: {current: HTMLTextAreaElement|null}, label: string, placeholder?: string, text: string,
 *   change: (text: string) => void, enter: () => void, escape?: () => void, describedBy?: string}} props
 */
export function Field({ id, box, label, placeholder, text, change, enter, escape, describedBy }) {
  const tall = text.length > TALL
  /** @param {KeyboardEvent} e */
  const key = (e) => {
    if (composing(e)) return
    if (e.key === 'Escape' && escape) {
      e.preventDefault()
      e.stopPropagation()
      escape()
    }
    if (e.key !== 'Enter' || e.shiftKey) return
    e.preventDefault()
    if (!e.repeat) enter()
  }
  return html`<div class=${tall ? 'grow tall' : 'grow'} data-text=${tall ? undefined : text + '\n'}>
    <textarea id=${id} ref=${box} rows="1" dir="auto" aria-label=${label} aria-describedby=${describedBy} placeholder=${placeholder} value=${text}
      onInput=${(/** @type {any} */ e) => change(e.currentTarget.value)} onKeyDown=${key} enterkeyhint="send"></textarea>
  </div>`
}
