// The list of conversations.

import { html } from 'htm/preact'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { signal } from '@preact/signals'
import { language, t } from '../i18n/language.js'
import { days } from '../chat/list.js'
import { asking, fetchMore, fetching, listFault, loaded, more, query, refreshSoon, removeSoon, removing, rename, search, sessions } from '../app/sessions.js'
import { address, following, go, sessionId, view, visit } from '../app/route.js'
import { FaultBox } from './fault.js'
import { composing } from './field.js'
import { Bear, Icon } from './icons.js'
import { keepFocus } from './keep.js'
import { closeCover, focusComposer, focusSoon, hideList, listShown, narrow } from './rail.js'

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
  return html`<nav class="sidebar ${listShown.value ? 'open' : ''}" id="sessions" aria-label=${t('sessions')} onScroll=${nearEnd}>
    <div class="brand"><${Bear} /> ${t('app')}
      <button type="button" class="ghost" id="close-list" aria-label=${label} title=${narrow.value ? label : `${label} (Ctrl/⌘ + B)`} onClick=${hideList}><${Icon} name=${narrow.value ? 'close' : 'fold'} /></button>
    </div>
    <button type="button" class="new" onClick=${() => open('')}><${Icon} name="plus" />${t('newChat')}</button>
    <label class="search"><${Icon} name="search" /><input id="search" type="search" placeholder=${t('search')} aria-label=${t('search')}
      value=${query.value} onInput=${(/** @type {any} */ e) => search(e.currentTarget.value)} /></label>
    ${listFault.value ? html`<${FaultBox} fault=${listFault.value}
      actions=${html`<button type="button" onClick=${refreshSoon}>${t('retry')}</button>
        <button type="button" onClick=${() => { listFault.value = null }}>${t('dismiss')}</button>`} />` : ''}
    <${NeedsYou} />
    <div class="list" onScroll=${nearEnd} onKeyDown=${rowKey}>
      ${loaded.value && !rows.length ? html`<p class="muted pad">${query.value ? t('noMatches') : t('noSessions')}</p>` : ''}
      ${days(rows, today.value).map((day) => html`<${Day} key=${nameOf(day)} day=${day} at=${at} />`)}
      ${more.value ? html`<button type="button" class="ghost more" tabindex="-1" disabled=${fetching.value} onClick=${fetchMore}>${t('moreRows')}</button>` : ''}
    </div>
    <${Places} />
  </nav>`
}

/** The places of the page that are no conversations. */
const places = /** @type {const} */ ([['tools', '/tools', 'tool'], ['settings', '/settings', 'gear']])

function Places() {
  const shown = view.value === 'skill' ? 'tools' : view.value
  return html`<ul class="places">${places.map(([name, path, icon]) => html`<li key=${name}><a href=${path} class=${shown === name ? 'here' : ''} aria-current=${shown === name ? 'page' : undefined}
    onClick=${following(path, arrive)}><${Icon} name=${icon} />${t(name)}</a></li>`)}</ul>`
}

function arrive() {
  closeCover()
  focusSoon('place')
}

/** A day that is over while the page is open is yesterday. */
const today = signal(new Date())
if (typeof document !== 'undefined') setInterval(() => { if (new Date().getDate() !== today.peek().getDate()) today.value = new Date() }, 60_000)

/** How near to its end the list asks for the next page, in px. */
const EARLY = 600

/** @param {Event} e */
function nearEnd(e) {
  const el = /** @type {HTMLElement} */ (e.currentTarget)
  if (el.scrollHeight - el.scrollTop - el.clientHeight < EARLY) fetchMore()
}

/** @typedef {ReturnType<typeof days>[number]} DayRows */

/** @param {DayRows} day */
function nameOf({ key, at }) {
  if (key !== 'month') return t(key)
  return new Intl.DateTimeFormat(language.value === 'zh' ? 'zh-CN' : 'en', { month: 'long', year: 'numeric' }).format(at)
}

/** @param {{day: DayRows, at?: string}} props at: the row that Tab comes to */
function Day({ day, at }) {
  const id = `day-${day.rows[0].id}`
  return html`<section aria-labelledby=${id}><h2 class="day" id=${id}>${nameOf(day)}</h2>
    <ul>${day.rows.map((s) => html`<${Row} key=${s.id} session=${s} stops=${s.id === at} />`)}</ul></section>`
}

/** The way to what waits for a decision, wherever in the list it stands; to a list of it where it is more than one. */
function NeedsYou() {
  const ids = [...asking.value.keys()]
  if (!ids.length) return null
  const lead = () => {
    if (ids.length === 1) return open(ids[0])
    visit('/needs-you')
    arrive()
  }
  return html`<button type="button" class="needs" onClick=${lead}><${Icon} name="hand" />${t('needsYouN', { n: ids.length })}</button>`
}

/** What a row says of itself beside its title. @type {Record<string, import('../i18n/language.js').Key>} */
const states = { running: 'rowRunning', waiting: 'rowWaiting', failed: 'rowFailed' }

/** @param {{state?: string}} props */
function Glyph({ state = '' }) {
  const key = Object.hasOwn(states, state) ? states[state] : undefined
  return key ? html`<span class="glyph ${state}" role="img" aria-label=${t(key)} title=${t(key)}>${state === 'waiting' ? html`<${Icon} name="hand" />` : ''}</span>` : null
}

/** Up and down go from row to row, left and right within one. @param {KeyboardEvent} e */
function rowKey(e) {
  if (!(e.target instanceof HTMLElement) || e.target instanceof HTMLInputElement || e.altKey || e.ctrlKey || e.metaKey) return
  const row = e.target.closest('li')
  const rows = [...(row?.closest('.list')?.querySelectorAll('li') ?? [])]
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
  if (e.key === 'End' || (e.key === 'ArrowDown' && at + 2 >= rows.length)) fetchMore()
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
  // A row that moves to another day is made anew there.
  const box = useRef(/** @type {HTMLElement|null} */ (null))
  useLayoutEffect(() => () => { if (box.current?.contains(document.activeElement)) keepFocus(`${row} a`) }, [])
  if (naming) return html`<li data-row=${session.id} ref=${box}><${NameField} session=${session} done=${named} /></li>`
  const here = sessionId.value === session.id
  const remove = () => {
    removeSoon(session, 'session')
    focusSoon('undo') // also where the conversation that goes is the shown one, and a new chat takes the focus
  }
  return html`<li class=${here ? 'here' : ''} data-row=${session.id} ref=${box} onFocusIn=${() => { stop.value = session.id }}>
    <a href=${address(session.id)} aria-current=${here ? 'page' : undefined} title=${title} tabindex=${stops ? 0 : -1} aria-keyshortcuts="F2 Delete"
      onClick=${(/** @type {MouseEvent} */ e) => { if (!e.metaKey && !e.ctrlKey && !e.shiftKey) { e.preventDefault(); open(session.id) } }}><span class="row-title" dir="auto">${title}</span><${Glyph} state=${session.state} /></a>
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
