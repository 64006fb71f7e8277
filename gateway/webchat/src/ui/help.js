// The keyboard list, and the keys themselves.

import { html } from 'htm/preact'
import { useEffect, useRef } from 'preact/hooks'
import { signal } from '@preact/signals'
import { t } from '../i18n/language.js'
import { editing, stop } from '../app/actions.js'
import { go } from '../app/route.js'
import { listOpen } from './sidebar.js'
import { draft } from './draft.js'
import { Icon } from './icons.js'

export const helpOpen = signal(false)

const keys = /** @type {const} */ ([
  ['Enter', 'keySend'], ['Shift + Enter', 'keyNewline'], ['Esc', 'keyStop'], ['Alt + N', 'keyNew'],
  ['Alt + K', 'keySearch'], ['/', 'keyFocus'], ['?', 'keyHelp'],
])

/** @param {KeyboardEvent} e */
function onKey(e) {
  if (e.isComposing || e.defaultPrevented) return
  const typing = e.target instanceof HTMLElement && (e.target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(e.target.tagName))
  if (e.key === 'Escape') return escape()
  if (e.altKey && e.code === 'KeyN') return act(e, () => { go(''); focus('composer') })
  if (e.altKey && e.code === 'KeyK') return act(e, () => { listOpen.value = true; focus('search') })
  if (typing || e.ctrlKey || e.metaKey || e.altKey) return
  if (e.key === '/') return act(e, () => focus('composer'))
  if (e.key === '?') return act(e, () => { helpOpen.value = true })
}

/** The innermost thing that is open closes; with none, the answer stops. */
function escape() {
  if (helpOpen.value) return
  if (listOpen.value) listOpen.value = false
  else if (editing.value) {
    editing.value = null
    draft.value = ''
  } else stop()
}

/** @param {Event} e @param {() => void} f */
function act(e, f) {
  e.preventDefault()
  f()
}

/** @param {string} id */
const focus = (id) => setTimeout(() => document.getElementById(id)?.focus())

export function watchKeys() {
  addEventListener('keydown', onKey)
}

export function Help() {
  const box = useRef(/** @type {HTMLDialogElement|null} */ (null))
  const open = helpOpen.value
  useEffect(() => {
    if (open) box.current?.showModal()
    else box.current?.close()
  }, [open])
  return html`<dialog ref=${box} aria-labelledby="help-title" onClose=${() => { helpOpen.value = false }}>
    <div class="dialog-head"><h2 id="help-title">${t('shortcuts')}</h2>
      <button type="button" class="ghost" aria-label=${t('close')} onClick=${() => { helpOpen.value = false }}><${Icon} name="close" /></button></div>
    <dl class="keys">${keys.map(([key, what]) => html`<div key=${key}><dt><kbd>${key}</kbd></dt><dd>${t(what)}</dd></div>`)}</dl>
  </dialog>`
}
