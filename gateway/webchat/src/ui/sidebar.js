// The list of conversations.

import { html } from 'htm/preact'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { signal } from '@preact/signals'
import { t } from '../i18n/language.js'
import { deleting, listFault, loaded, query, refreshSoon, removeSoon, rename, search, sessions, undoRemove } from '../app/sessions.js'
import { address, go, sessionId } from '../app/route.js'
import { FaultBox } from './fault.js'
import { Bear, Icon } from './icons.js'

/** On narrow screens the list covers the page, and is closed at first. */
export const listOpen = signal(false)

/** @param {string} id */
function open(id) {
  go(id)
  listOpen.value = false
  document.getElementById('composer')?.focus()
}

export function Sidebar() {
  const gone = deleting.value
  const rows = sessions.value.filter((s) => s.id !== gone?.id)
  return html`<nav class="sidebar ${listOpen.value ? 'open' : ''}" id="sessions" aria-label=${t('sessions')}>
    <div class="brand"><${Bear} /> ${t('app')}
      <button type="button" class="ghost narrow-only" aria-label=${t('closeSessions')} onClick=${() => { listOpen.value = false }}><${Icon} name="close" /></button>
    </div>
    <button type="button" class="new" onClick=${() => open('')}><${Icon} name="plus" />${t('newChat')}</button>
    <label class="search"><${Icon} name="search" /><input id="search" type="search" placeholder=${t('search')} aria-label=${t('search')}
      value=${query.value} onInput=${(/** @type {any} */ e) => search(e.currentTarget.value)} /></label>
    ${listFault.value ? html`<${FaultBox} fault=${listFault.value}
      actions=${html`<button type="button" onClick=${refreshSoon}>${t('retry')}</button>`} />` : ''}
    <div class="list">
      ${loaded.value && !rows.length ? html`<p class="muted pad">${query.value ? t('noMatches') : t('noSessions')}</p>` : ''}
      <ul>${rows.map((s) => html`<${Row} key=${s.id} session=${s} />`)}</ul>
    </div>
    ${gone ? html`<div class="toast" role="status"><span>${t('deleted', { title: gone.title || t('untitled') })}</span>
      <button type="button" onClick=${undoRemove}>${t('undo')}</button></div>` : ''}
  </nav>`
}

/** @param {{session: import('../wire/api.js').Session}} props */
function Row({ session }) {
  const [naming, setNaming] = useState(false)
  const title = session.title || t('untitled')
  if (naming) return html`<li><${NameField} session=${session} done=${() => setNaming(false)} /></li>`
  const here = sessionId.value === session.id
  return html`<li class=${here ? 'here' : ''}>
    <a href=${address(session.id)} aria-current=${here ? 'page' : undefined} title=${title}
      onClick=${(/** @type {MouseEvent} */ e) => { if (!e.metaKey && !e.ctrlKey && !e.shiftKey) { e.preventDefault(); open(session.id) } }}>${title}</a>
    <span class="row-tools" role="group" aria-label=${t('actionsFor', { title })}>
      <button type="button" class="ghost" title=${t('rename')} aria-label=${t('rename')} onClick=${() => setNaming(true)}><${Icon} name="edit" /></button>
      <button type="button" class="ghost" title=${t('delete')} aria-label=${t('delete')} onClick=${() => removeSoon(session)}><${Icon} name="trash" /></button>
    </span>
  </li>`
}

/** @param {{session: import('../wire/api.js').Session, done: () => void}} props */
function NameField({ session, done }) {
  const field = useRef(/** @type {HTMLInputElement|null} */ (null))
  const over = useRef(false) // a field that goes away with the focus may say blur
  useLayoutEffect(() => { field.current?.select() }, []) // before the next key can arrive
  /** @param {boolean} keep */
  const end = (keep) => {
    if (over.current) return
    over.current = true
    const title = field.current?.value.trim()
    if (keep && title && title !== session.title) rename(session.id, title)
    done()
  }
  /** @param {KeyboardEvent} e */
  const key = (e) => {
    if (e.key === 'Escape') { e.stopPropagation(); end(false) }
    if (e.key === 'Enter' && !e.isComposing) end(true)
  }
  return html`<input class="naming" ref=${field} aria-label=${t('rename')} defaultValue=${session.title} maxlength="200" onKeyDown=${key} onBlur=${() => end(true)} />`
}
