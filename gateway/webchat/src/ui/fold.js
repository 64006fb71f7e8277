// A long text of one's own, folded: only its beginning is on the page until
// somebody asks for the rest, or prints it.

import { html } from 'htm/preact'
import { useState } from 'preact/hooks'
import { signal } from '@preact/signals'
import { t } from '../i18n/language.js'

const LINES = 12
/** About as many characters as fill the lines. */
const LENGTH = 1000

const printing = signal(false)

export function watchPrint() {
  addEventListener('beforeprint', () => { printing.value = true })
  addEventListener('afterprint', () => { printing.value = false })
}

/** The beginning that is shown of a text, all of it where that is short. @param {string} text */
export function beginning(text) {
  const lines = text.split('\n', LINES + 1)
  let shown = lines.length > LINES ? lines.slice(0, LINES).join('\n') : text
  if (shown.length > LENGTH * 1.25) shown = shown.slice(0, LENGTH).replace(/[\ud800-\udbff]$/, '')
  return shown
}

/** @param {{text: string}} props */
export function Folded({ text }) {
  const [whole, setWhole] = useState(false)
  const short = beginning(text)
  const folds = short.length < text.length
  return html`<div class="bubble" dir="auto">${folds && !whole && !printing.value ? short + '…' : text}${folds ? html`
    <button type="button" class="unfold" aria-expanded=${whole} onClick=${() => setWhole(!whole)}>${t(whole ? 'showLess' : 'showAll')}</button>` : ''}</div>`
}
