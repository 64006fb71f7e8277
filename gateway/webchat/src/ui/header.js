// The bar above the conversation: its title and the menu.

import { html } from 'htm/preact'
import { useRef } from 'preact/hooks'
import { language, switchLanguage, t } from '../i18n/language.js'
import { exportMemory } from '../app/actions.js'
import { hasToken, signOut, user } from '../app/account.js'
import { sessionId, view } from '../app/route.js'
import { listedTitle, removeSoon, sessions } from '../app/sessions.js'
import { state } from '../app/current.js'
import { StatusLine } from './status.js'
import { focusSoon, listShown, narrow, showList } from './rail.js'
import { helpOpen } from './help.js'
import { Icon } from './icons.js'

/** What a place that is no conversation is called; '' in a conversation. */
export function placeTitle() {
  const now = view.value
  return now === 'chat' ? '' : t(now === 'needs' ? 'needsYou' : now === 'settings' ? 'settings' : 'tools')
}

export function Header() {
  const id = sessionId.value
  const other = placeTitle()
  const title = other || (id && (state.value.title || listedTitle.value)) || t('newChat')
  return html`<header class="bar">
    ${listShown.value && !narrow.value ? '' : html`<button type="button" class="ghost" id="open-list" aria-label=${t('openSessions')} title=${t('openSessions')}
      aria-expanded=${listShown.value} aria-controls="sessions" onClick=${() => { showList(true); focusSoon('close-list') }}><${Icon} name="menu" /></button>`}
    <h1 dir="auto">${title}</h1>
    <${StatusLine} />
    <${Menu} />
  </header>`
}

function Menu() {
  const box = useRef(/** @type {HTMLDetailsElement|null} */ (null))
  /** @param {() => unknown} act */
  const pick = (act) => () => {
    if (box.current) box.current.open = false
    act()
  }
  const clear = () => {
    const id = sessionId.peek()
    const row = sessions.peek().find((s) => s.id === id)
    removeSoon(row ?? { id, title: state.peek().title, createdAt: '', updatedAt: '', messages: 0 }, 'history')
    focusSoon('undo')
  }
  /** @param {FocusEvent} e */
  const leave = (e) => {
    if (box.current && !box.current.contains(/** @type {Node} */ (e.relatedTarget))) box.current.open = false
  }
  /** @param {KeyboardEvent} e */
  const key = (e) => {
    if (e.key !== 'Escape' || !box.current?.open) return
    e.stopPropagation()
    box.current.open = false
    box.current.querySelector('summary')?.focus()
  }
  return html`<details class="menu" ref=${box} onFocusOut=${leave} onKeyDown=${key}>
    <summary class="ghost" aria-label=${t('menu')} title=${t('menu')}><${Icon} name="more" /></summary>
    <div class="menu-list">
      ${user.value ? html`<p class="muted pad">${user.value}</p>` : ''}
      <button type="button" disabled=${!sessionId.value} onClick=${pick(clear)}>${t('clearHistory')}</button>
      <button type="button" onClick=${pick(exportMemory)}>${t('exportMemory')}</button>
      <button type="button" onClick=${pick(() => { helpOpen.value = true })}>${t('shortcuts')} <kbd>?</kbd></button>
      <button type="button" lang=${language.value === 'zh' ? 'en' : 'zh-CN'} onClick=${pick(switchLanguage)}>${t('language')}</button>
      ${hasToken() ? html`<button type="button" onClick=${pick(signOut)}>${t('signOut')}</button>` : ''}
    </div>
  </details>`
}
