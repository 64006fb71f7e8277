// Setting up a server of one's own, or another address and other headers for one.

import { html } from 'htm/preact'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { toolsAddress, visit } from '../app/route.js'
import { composing } from '../ui/field.js'
import { FaultBox } from '../ui/fault.js'
import { keepFocus } from '../ui/keep.js'
import { bodyOf, wrongWith } from './standing.js'
import { putServer, servers } from './state.js'
import { t } from '../i18n/language.js'
import { w } from './words.js'

/** @typedef {import('./standing.js').Header} Header */

/** As many as the server takes. */
const MOST = 32

/** @param {{server?: import('./standing.js').Server, done: () => void}} props server: the one that is edited */
export function ServerForm({ server, done }) {
  const [name, setName] = useState(server?.name ?? '')
  const [url, setUrl] = useState('')
  const [headers, setHeaders] = useState(/** @type {Header[]} */ ([]))
  const [wrong, setWrong] = useState(/** @type {ReturnType<typeof wrongWith>} */ (null))
  const [fault, setFault] = useState(/** @type {import('../wire/fault.js').Fault|null} */ (null))
  const [busy, setBusy] = useState(false)
  const form = useRef(/** @type {HTMLFormElement|null} */ (null))
  useLayoutEffect(() => /** @type {HTMLElement|null} */ (form.current?.querySelector('input:not([readonly])'))?.focus(), [])
  const save = async (/** @type {Event} */ e) => {
    e.preventDefault()
    if (busy) return
    const taken = server ? [] : (servers.peek() ?? []).map((s) => s.name)
    const found = wrongWith({ name, url: url.trim(), headers }, taken)
    setWrong(found)
    if (found) return keepFocusIn(form.current, found)
    setBusy(true)
    const said = await putServer(name, bodyOf({ url: url.trim(), headers }))
    setBusy(false)
    setFault(said)
    if (said) return
    done()
    visit(toolsAddress(name))
    keepFocus('#place')
  }
  /** @param {KeyboardEvent} e */
  const key = (e) => {
    if (e.key !== 'Escape' || composing(e)) return
    e.preventDefault()
    done()
  }
  const set = (/** @type {number} */ i, /** @type {Partial<Header>} */ change) => setHeaders(headers.map((h, k) => (k === i ? { ...h, ...change } : h)))
  const told = (/** @type {string} */ field) => (wrong?.field === field ? html`<p class="wrong" id=${'wrong-' + field} role="alert">${w(wrong.key, { n: wrong.n ?? 0 })}</p>` : '')
  return html`<form class="setup" ref=${form} novalidate autocomplete="off" onSubmit=${save} onKeyDown=${key} aria-label=${server ? t('edit') : w('addServer')}>
    <label>${w('name')}<input name="name" value=${name} readonly=${Boolean(server)} autocapitalize="none" spellcheck=${false} autocomplete="off" maxlength="32" aria-describedby="hint-name wrong-name"
      aria-invalid=${wrong?.field === 'name'} onInput=${(/** @type {any} */ e) => setName(e.currentTarget.value)} /></label>
    ${server ? '' : html`<p class="muted" id="hint-name">${w('nameHint')}</p>`}${told('name')}
    <label>${w('url')}<input name="url" type="url" value=${url} placeholder="https://" autocomplete="off" spellcheck=${false} aria-describedby="hint-url wrong-url"
      aria-invalid=${wrong?.field === 'url'} onInput=${(/** @type {any} */ e) => setUrl(e.currentTarget.value)} /></label>
    <p class="muted" id="hint-url">${server ? w('urlAgain', { host: server.host ?? '' }) : w('urlHint')}</p>${told('url')}
    <fieldset><legend>${w('headers')}</legend><p class="muted">${w('headersHint')} ${server ? w('headersAgain') : ''}</p>
      ${headers.map((h, i) => html`<div class="header-row" key=${i}>
        <input value=${h.name} aria-label=${w('headerName', { n: i + 1 })} placeholder="Authorization" autocomplete="off" spellcheck=${false} autocapitalize="none" data-header=${i + 1}
          onInput=${(/** @type {any} */ e) => set(i, { name: e.currentTarget.value })} />
        <input value=${h.value} type="password" aria-label=${w('headerValue', { n: i + 1 })} autocomplete="off" onInput=${(/** @type {any} */ e) => set(i, { value: e.currentTarget.value })} />
        <button type="button" onClick=${() => { setHeaders(headers.toSpliced(i, 1)); keepFocus('#add-header') }} aria-label=${w('removeHeader', { n: i + 1 })}>${w('remove')}</button></div>`)}
      ${told('header')}
      <button type="button" id="add-header" disabled=${headers.length >= MOST} onClick=${() => addHeader(headers, setHeaders)}>${w('addHeader')}</button></fieldset>
    ${fault ? html`<${FaultBox} fault=${fault} />` : ''}
    <div class="row"><button type="submit" class="primary" disabled=${busy}>${w(busy ? 'saving' : 'save')}</button>
      <button type="button" onClick=${done}>${t('cancel')}</button></div>
  </form>`
}

/** @param {Header[]} headers @param {(all: Header[]) => void} set */
function addHeader(headers, set) {
  set([...headers, { name: '', value: '' }])
  const n = headers.length + 1
  requestAnimationFrame(() => /** @type {HTMLElement|null} */ (document.querySelector(`[data-header="${n}"]`))?.focus())
}

/** To the field that is wrong. @param {HTMLElement|null} form @param {NonNullable<ReturnType<typeof wrongWith>>} wrong */
function keepFocusIn(form, wrong) {
  const place = wrong.field === 'header' ? `[data-header="${wrong.n}"]` : `[name="${wrong.field}"]`
  ;/** @type {HTMLElement|null} */ (form?.querySelector(place))?.focus()
}
