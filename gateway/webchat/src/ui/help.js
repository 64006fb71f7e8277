// The keyboard list, and the keys themselves.

import { html } from 'htm/preact'
import { useEffect, useRef } from 'preact/hooks'
import { signal } from '@preact/signals'
import { t } from '../i18n/language.js'
import { waitsForDecision } from '../chat/state.js'
import { state } from '../app/current.js'
import { stop } from '../app/actions.js'
import { go } from '../app/route.js'
import { closeCover, focusSoon, hideList, listCovers, listShown, showList } from './rail.js'
import { Icon } from './icons.js'

export const helpOpen = signal(false)

const keys = /** @type {const} */ ([
  ['Enter', 'send'], ['Shift + Enter', 'keyNewline'], ['Esc', 'keyStop'], ['Alt + N', 'newChat'],
  ['Alt + K', 'search'], ['Ctrl / ⌘ + B', 'keyList'], ['↑ ↓ F2 Del', 'keyRows'], ['/', 'keyFocus'], ['?', 'keyHelp'],
])

/** @param {EventTarget|null} at */
const isField = (at) => at instanceof HTMLElement && (at.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName))

/** @param {KeyboardEvent} e */
function onKey(e) {
  if (e.isComposing || e.defaultPrevented) return
  if (helpOpen.peek()) {
    if (e.key === 'Escape') helpOpen.value = false // also where the browser has not opened it yet
    return
  }
  if (e.key === 'Escape') {
    if (!e.repeat) escape(e)
    return
  }
  const alt = e.altKey && !e.ctrlKey && !e.metaKey
  if (alt && e.code === 'KeyN') return act(e, () => { go(''); closeCover(); focusSoon('composer') })
  if (alt && e.code === 'KeyK') return act(e, () => { showList(true); focusSoon('search') })
  if ((e.ctrlKey || e.metaKey) && !e.altKey && !e.shiftKey && e.code === 'KeyB') return act(e, () => (listShown.peek() ? hideList() : showList(true)))
  if (isField(e.target) || e.ctrlKey || e.metaKey || e.altKey) return
  if (e.key === '/') return act(e, () => { closeCover(); focusSoon('composer') })
  if (e.key === '?') return act(e, () => { helpOpen.value = true })
}

/** Does one thing: the nearest to where the focus is. Only with none does the answer stop. @param {KeyboardEvent} e */
function escape(e) {
  const at = e.target
  const menu = /** @type {HTMLDetailsElement|null} */ (document.querySelector('.menu[open]'))
  if (menu) {
    menu.open = false
    menu.querySelector('summary')?.focus()
    return
  }
  if (at instanceof HTMLInputElement && at.type === 'search' && at.value) return // the browser empties it
  if (listCovers.peek()) return hideList()
  if (isField(at) && /** @type {HTMLElement} */ (at).id !== 'composer') return focusSoon('composer')
  // A question is open: leaving it open is no answer, and ending the run would be one.
  if (waitsForDecision(state.peek())) return
  stop()
}

/** @param {Event} e @param {() => void} f */
function act(e, f) {
  e.preventDefault()
  f()
}

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
