// The list of conversations.

import { html } from 'htm/preact'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { signal } from '@preact/signals'
import { t } from '../i18n/language.js'
import { listFault, loaded, query, refreshSoon, removeSoon, removing, rename, search, sessions } from '../app/sessions.js'
import { address, go, sessionId } from '../app/route.js'
import { FaultBox } from './fault.js'
import { composing } from './field.js'
import { Bear, Icon } from './icons.js'
import { keepFocus } from './keep.js'
import { closeCover, focusComposer, hideList, listShown, narrow } from './rail.js'

/** @param {string} id */
function open(id) {
  go(id)
  closeCover()
  focusComposer()
  keepFocus('.log')
}

/** The row that Tab comes to: one of the list, however long that is. */
const stop = signal('')

export function Sidebar() {
  const gone = removing.value
  const rows = sessions.value.filter((s) => gone?.what !== 'session' || s.id !== gone.session.id)
  const at = [stop.value, sessionId.value].find((id) => rows.some((s) => s.id === id)) ?? rows[0]?.id
  const label = t('closeSessions')
  return html`<nav class="sidebar ${listShown.value ? 'open' : ''}" id="sessions" aria-label=${t('sessions')}>
    <div class="brand"><${Bear} /> ${t('app')}
      <button type="button" class="ghost" id="close-list" aria-label=${label} title=${narrow.value ? label : `${label} (Ctrl/⌘ + B)`} onClick=${hideList}><${Icon} name=${narrow.value ? 'close' : 'fold'} /></button>
    </div>
    <button type="button" class="new" onClick=${() => open('')}><${Icon} name="plus" />${t('newChat')}</button>
    <label class="search"><${Icon} name="search" /><input id="search" type="search" placeholder=${t('search')} aria-label=${t('search')}
      value=${query.value} onInput=${(/** @type {any} */ e) => search(e.currentTarget.value)} /></label>
    ${listFault.value ? html`<${FaultBox} fault=${listFault.value}
      actions=${html`<button type="button" onClick=${refreshSoon}>${t('retry')}</button>
        <button type="button" onClick=${() => { listFault.value = null }}>${t('dismiss')}</button>`} />` : ''}
    <div class="list">
      ${loaded.value && !rows.length ? html`<p class="muted pad">${query.value ? t('noMatches') : t('noSessions')}</p>` : ''}
      <ul onKeyDown=${rowKey}>${rows.map((s) => html`<${Row} key=${s.id} session=${s} stops=${s.id === at} />`)}</ul>
    </div>
  </nav>`
}

/** Up and down go from row to row, left and right within one. @param {KeyboardEvent} e */
function rowKey(e) {
  if (!(e.target instanceof HTMLElement) || e.target instanceof HTMLInputElement || e.altKey || e.ctrlKey || e.metaKey) return
  const row = e.target.closest('li')
  const rows = [...(row?.parentElement?.children ?? [])]
  if (!row) return
  const at = rows.indexOf(row)
  const within = /** @type {HTMLElement[]} */ ([...row.querySelectorAll('a, button')])
  const here = within.indexOf(e.target)
  const inRow = (/** @type {number} */ n) => /** @type {HTMLElement|undefined} */ (rows[n]?.querySelector('a'))
  /** @type {Record<string, () => HTMLElement|undefined>} */
  const moves = {
    ArrowDown: () => inRow(at + 1), ArrowUp: () => inRow(at - 1), Home: () => inRow(0), End: () => inRow(rows.length - 1),
    ArrowRight: () => within[here + 1], ArrowLeft: () => within[here - 1],
  }
  const to = Object.hasOwn(moves, e.key) ? moves[e.key]() : undefined
  if (Object.hasOwn(moves, e.key)) e.preventDefault()
  to?.focus()
  if (e.key === 'F2') within.find((b) => b.dataset.does === 'rename')?.click()
  if (e.key === 'Delete') within.find((b) => b.dataset.does === 'delete')?.click()
}

/** @param {{session: import('../wire/api.js').Session, stops: boolean}} props */
function Row({ session, stops }) {
  const [naming, setNaming] = useState(false)
  const title = session.title || t('untitled')
  const row = `[data-row="${CSS.escape(session.id)}"]`
  const named = () => {
    setNaming(false)
    keepFocus(`${row} a`)
  }
  if (naming) return html`<li data-row=${session.id}><${NameField} session=${session} done=${named} /></li>`
  const here = sessionId.value === session.id
  const remove = () => {
    removeSoon(session, 'session')
    keepFocus('#undo')
  }
  return html`<li class=${here ? 'here' : ''} data-row=${session.id} onFocusIn=${() => { stop.value = session.id }}>
    <a href=${address(session.id)} aria-current=${here ? 'page' : undefined} title=${title} dir="auto" tabindex=${stops ? 0 : -1} aria-keyshortcuts="F2 Delete"
      onClick=${(/** @type {MouseEvent} */ e) => { if (!e.metaKey && !e.ctrlKey && !e.shiftKey) { e.preventDefault(); open(session.id) } }}>${title}</a>
    <span class="row-tools" role="group" aria-label=${t('actionsFor', { title })}>
      <button type="button" class="ghost" data-does="rename" tabindex="-1" title=${t('rename')} aria-label=${t('rename')} onClick=${() => setNaming(true)}><${Icon} name="edit" /></button>
      <button type="button" class="ghost" data-does="delete" tabindex="-1" title=${t('delete')} aria-label=${t('delete')} onClick=${remove}><${Icon} name="trash" /></button>
    </span>
  </li>`
}

/** As many characters as the server keeps of a title. */
const TITLE = 60

/** @param {{session: import('../wire/api.js').Session, done: () => void}} props */
function NameField({ session, done }) {
  const field = useRef(/** @type {HTMLInputElement|null} */ (null))
  const over = useRef(false) // a field that goes away with the focus may say blur
  useLayoutEffect(() => { field.current?.select() }, []) // before the next key can arrive
  /** @param {boolean} keep */
  const end = (keep) => {
    if (over.current) return
    over.current = true
    const title = [...(field.current?.value.trim() ?? '')].slice(0, TITLE).join('').trim()
    if (keep && title && title !== session.title) rename(session.id, title)
    done()
  }
  /** @param {KeyboardEvent} e */
  const key = (e) => {
    if (composing(e)) return
    if (e.key === 'Escape') { e.stopPropagation(); end(false) }
    if (e.key === 'Enter') end(true)
  }
  return html`<input class="naming" ref=${field} aria-label=${t('rename')} defaultValue=${session.title} dir="auto" maxlength=${TITLE} onKeyDown=${key} onBlur=${() => end(true)} />`
}
