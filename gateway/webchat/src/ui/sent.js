// Files of messages that were sent: what they are, what the model could not read, and
// a look at them.

import { html } from 'htm/preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { fileSize, kindOf } from '../chat/attachment.js'
import { tamed } from '../chat/tame.js'
import { dropFiles, dropped } from '../app/edits.js'
import { saveFile } from '../app/files.js'
import { sessionId } from '../app/route.js'
import { findFile, findInTurn, findSent, pictureOf, rememberPicture } from '../app/workfiles.js'
import { t } from '../i18n/language.js'
import { f, problemText } from '../i18n/files.js'
import { Icon } from './icons.js'
import { keepFocus } from './keep.js'
import { Picture } from './picture.js'

/** @typedef {import('../chat/attachment.js').Sent} Sent */
/** @typedef {import('../app/workfiles.js').Found} Found */

/** A larger picture is fetched when somebody wants to see it: it may be a phone's, on the way. */
const UNASKED = 4 << 20

/** @param {{files: readonly Sent[]}} props */
export const SentFiles = ({ files }) =>
  html`<ul class="chips" aria-label=${f('list')}>${files.map((file, n) => html`<${SentFile} key=${n} file=${file} />`)}</ul>`

/** Of a message that is being edited: its new version may have fewer. @param {{id: string, files: readonly Sent[]}} props */
export function EditedFiles({ id, files }) {
  const gone = dropped.value[id] ?? []
  const kept = files.filter((a) => !a.path || !gone.includes(a.path))
  if (!kept.length) return null
  return html`<ul class="chips" aria-label=${f('list')}>${kept.map((file, n) => html`<${SentFile} key=${file.path ?? n} file=${file} edited
    remove=${file.path && (() => { dropFiles(id, [...gone, String(file.path)]); keepFocus('.editor [data-remove]', '.editor textarea') })} />`)}</ul>`
}

/** A new version of a message has what is at its paths now. @param {Sent} file @param {boolean} edited @param {AbortSignal} [signal] */
const find = (file, edited, signal) => (edited ? findFile(file, signal) : findSent(file, sessionId.peek(), signal))

/** Whether an element is, or was, near the window. @param {{current: Element|null}} box */
function useNear(box) {
  const [near, setNear] = useState(false)
  useEffect(() => {
    if (!box.current || near) return
    const watch = new IntersectionObserver((all) => { if (all.some((e) => e.isIntersecting)) setNear(true) }, { rootMargin: '200px' })
    watch.observe(box.current)
    return () => watch.disconnect()
  }, [near])
  return near
}

/**
 * @param {Sent} file @param {boolean} wanted @param {boolean} fresh what is there now counts, not what was seen before
 * @returns {Found|undefined} once it was looked for
 */
function useFound(file, wanted, fresh) {
  const [found, setFound] = useState(/** @type {Found|undefined} */ (undefined))
  useEffect(() => {
    if (!wanted && !pictureOf(file.sha256)) return
    const known = fresh ? undefined : pictureOf(file.sha256)
    if (known) return setFound({ state: 'same', bytes: known })
    const stop = new AbortController()
    findInTurn((signal) => find(file, fresh, signal), stop.signal).then((now) => {
      if (stop.signal.aborted) return
      if (now.state === 'same') rememberPicture(file.sha256, now.bytes)
      setFound(now)
    })
    return () => stop.abort()
  }, [file.path, file.sha256, wanted])
  return found
}

/** @param {{file: Sent, edited?: boolean, remove?: () => void}} props */
function SentFile({ file, edited, remove }) {
  const box = useRef(/** @type {HTMLElement|null} */ (null))
  const near = useNear(box)
  const kind = kindOf(file.mediaType)
  const image = kind === 'image' && !file.error
  const found = useFound(file, near && ((image && file.size <= UNASKED) || Boolean(edited)), Boolean(edited))
  const [asked, setAsked] = useState(/** @type {Found|'fetching'|undefined} */ (undefined))
  const [open, setOpen] = useState(false)
  const [undrawn, setUndrawn] = useState(false)
  const bytes = found?.state === 'same' ? found.bytes : undefined
  const act = async () => {
    if (image && bytes && !undrawn) return setOpen(true)
    setAsked('fetching')
    const now = bytes ? /** @type {Found} */ ({ state: 'same', bytes }) : await find(file, Boolean(edited))
    setAsked(now)
    if (now.state !== 'same') return
    if (image && !undrawn) {
      rememberPicture(file.sha256, now.bytes)
      setOpen(true)
    } else saveFile(now.bytes, file.name)
  }
  const look = /** @type {Found|undefined} */ (asked === 'fetching' ? undefined : asked ?? found)
  const trouble = troubleOf(look, Boolean(edited))
  const shown = look?.state === 'same' ? look.bytes : bytes
  const verb = f(image && !undrawn ? 'show' : 'download')
  const body = html`${bytes && image && !undrawn ? html`<${Picture} bytes=${bytes} undrawn=${() => setUndrawn(true)} />` : html`<${Icon} name="file" />`}
    <span class="chip-text"><bdi class="chip-name">${tamed(file.name)}</bdi><span class="muted">${f(kind)} · ${fileSize(file.size)}</span></span>`
  return html`<li class=${trouble || file.error ? 'chip sent bad' : 'chip sent'} ref=${box}>
    ${file.path ? html`<button type="button" class="chip-open" title=${`${verb}: ${file.name}`} onClick=${act}><span class="unseen">${verb}</span>${body}</button>` : html`<span class="chip-open">${body}</span>`}
    ${remove ? html`<button type="button" class="ghost" data-remove aria-label=${f('remove', { name: file.name })} title=${f('remove', { name: file.name })}
      onClick=${remove}><${Icon} name="close" /></button>` : ''}
    ${file.error ? html`<span class="chip-trouble">${problemText(file.error)}</span>` : ''}
    <span role="status" class=${trouble ? 'chip-trouble' : 'chip-note'}>${asked === 'fetching' ? f('fetching') : trouble}</span>
    ${open && shown ? html`<${Preview} file=${file} bytes=${shown} close=${() => setOpen(false)} />` : ''}
  </li>`
}

/** @param {Found|undefined} found @param {boolean} edited */
function troubleOf(found, edited) {
  if (!found || found.state === 'same') return ''
  if (found.state === 'changed') return f(edited ? 'changedEdit' : 'changed')
  if (found.state === 'gone') return f(edited ? 'goneEdit' : 'gone')
  if (found.state === 'unkept' && edited) return f('unkeptEdit')
  return f(found.state)
}

/** @param {{file: Sent, bytes: Blob, close: () => void}} props */
function Preview({ file, bytes, close }) {
  const box = useRef(/** @type {HTMLDialogElement|null} */ (null))
  const [undrawn, setUndrawn] = useState(false)
  useEffect(() => {
    const was = document.activeElement
    box.current?.showModal()
    return () => { if (was instanceof HTMLElement) was.focus({ preventScroll: true }) }
  }, [])
  return html`<dialog class="preview" ref=${box} aria-label=${file.name} onClose=${close} onKeyDown=${(/** @type {Event} */ e) => e.stopPropagation()}
    onClick=${(/** @type {Event} */ e) => { if (e.target === box.current) box.current?.close() }}>
    <div class="dialog-head"><h2><bdi>${tamed(file.name)}</bdi></h2><span class="muted">${fileSize(file.size)}</span>
      <button type="button" onClick=${() => saveFile(bytes, file.name)}>${f('download')}</button>
      <button type="button" class="ghost" autofocus aria-label=${t('close')} title=${t('close')} onClick=${() => box.current?.close()}><${Icon} name="close" /></button></div>
    ${undrawn ? html`<p>${f('undrawn')}</p>` : html`<${Picture} bytes=${bytes} label=${file.name} undrawn=${() => setUndrawn(true)} />`}
  </dialog>`
}
