// Where files come in: the button, the drop, the clipboard.

import { html } from 'htm/preact'
import { h } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { signal } from '@preact/signals'
import { t } from '../i18n/language.js'
import { LONG_PASTE, pastesFiles } from '../chat/attachment.js'
import { bytes, size } from '../chat/bytes.js'
import { attached, leftOut } from '../app/attached.js'
import { filePart } from '../app/parts.js'
import { parcels } from '../app/letters.js'
import { draft } from './draft.js'
import { Icon } from './icons.js'

/** Something of that chunk, as soon as it is here. @param {'Chips'|'ParcelFiles'|'SentFiles'|'EditedFiles'} name @param {any} [props] */
function later(name, props) {
  const Found = filePart.here.value?.[name]
  if (!Found) filePart.want()
  return Found ? h(/** @type {any} */ (Found), props) : null
}

/** Files of the message that is being written. */
export const Chips = () => (attached.value.length ? later('Chips') : null)
/** Files of a message that is not acknowledged. @param {{files?: readonly import('../chat/attachment.js').Attachment[]}} props */
export const ParcelFiles = ({ files }) => (files?.length ? later('ParcelFiles', { files }) : null)
/** Files of a message. @param {{files?: readonly import('../chat/attachment.js').Sent[]}} props */
export const SentFiles = ({ files }) => (files?.length ? later('SentFiles', { files }) : null)
/** Files of a message that is being edited. @param {{id: string, files?: readonly import('../chat/attachment.js').Sent[]}} props */
export const EditedFiles = ({ id, files }) => (files?.length ? later('EditedFiles', { id, files }) : null)

/** @param {readonly File[]} files @param {readonly string[]} [folders] names of what cannot be attached */
export async function attach(files, folders = []) {
  leftOut.value = folders.length ? { why: 'folders', names: [...folders] } : null
  if (!files.length) return
  const m = await filePart.load()
  if (m) await m.addFiles(files)
  else leftOut.value = { why: 'away', names: files.map((f) => f.name) }
}

/** What a drag or a clipboard holds; only in the moment of its event can it be read. @param {DataTransfer} from */
function filesOf(from) {
  /** @type {string[]} */
  const folders = []
  const items = [...from.items].filter((i) => i.kind === 'file')
  const files = items.flatMap((i) => {
    const entry = i.webkitGetAsEntry?.()
    if (entry?.isDirectory) {
      folders.push(entry.name)
      return []
    }
    return i.getAsFile() ?? []
  })
  return { files: items.length ? files : [...from.files], folders }
}

/** @param {{focus: () => void}} props focus: puts the focus where one writes */
export function AttachButton({ focus }) {
  const input = useRef(/** @type {HTMLInputElement|null} */ (null))
  const picked = () => {
    const files = [...(input.current?.files ?? [])]
    if (input.current) input.current.value = '' // the same file may be chosen again
    if (files.length) attach(files)
    focus()
  }
  return html`<button type="button" class="round ghost" id="attach" title=${t('attach')} aria-label=${t('attach')} onClick=${() => { filePart.load(); input.current?.click() }}><${Icon} name="clip" /></button>
    <input ref=${input} type="file" multiple hidden onChange=${picked} />`
}

/** Files are over the page. */
const dragging = signal(false)
/** A drag that says nothing for so long is over: some end without a word. */
const SILENT = 800

/** @param {DragEvent} e */
const carriesFiles = (e) => Boolean(e.dataTransfer?.types.includes('Files'))
/** Where a sheet covers the page, nothing is dropped on what is below. */
const covered = () => Boolean(document.querySelector('dialog[open]'))

/** Takes files that are dropped on the page, and those in the clipboard. */
export function useIncoming() {
  useEffect(() => {
    /** @type {ReturnType<typeof setTimeout>|undefined} */
    let silent
    const end = () => {
      clearTimeout(silent)
      dragging.value = false
    }
    /** Elements come and go below the pointer; only that it moves counts. @param {DragEvent} e */
    const over = (e) => {
      if (!carriesFiles(e)) return
      e.preventDefault() // else a drop would leave the page for the file
      if (e.dataTransfer) e.dataTransfer.dropEffect = covered() ? 'none' : 'copy'
      if (covered()) return end()
      if (!dragging.peek()) filePart.load()
      dragging.value = true
      clearTimeout(silent)
      silent = setTimeout(end, SILENT)
    }
    /** @param {DragEvent} e */
    const leave = (e) => { if (!e.relatedTarget) end() }
    /** @param {DragEvent} e */
    const drop = (e) => {
      if (!carriesFiles(e) || !e.dataTransfer) return
      e.preventDefault()
      end()
      if (covered()) return
      const { files, folders } = filesOf(e.dataTransfer)
      attach(files, folders)
      document.getElementById('composer')?.focus()
    }
    const all = /** @type {const} */ ({ dragenter: over, dragover: over, dragleave: leave, dragend: end, drop, paste })
    for (const [name, f] of Object.entries(all)) addEventListener(name, /** @type {any} */ (f))
    return () => {
      end()
      for (const [name, f] of Object.entries(all)) removeEventListener(name, /** @type {any} */ (f))
    }
  }, [])
}

/** The long text that was pasted last, for as long as it stands in the draft. */
const pasted = signal('')

/** @param {ClipboardEvent} e */
function paste(e) {
  const from = e.clipboardData
  const at = e.target instanceof HTMLElement ? e.target : null
  const field = at?.matches('input, textarea, [contenteditable]')
  if (!from || covered() || (field && at?.id !== 'composer')) return
  const text = from.getData('text/plain')
  const { files, folders } = filesOf(from)
  if (pastesFiles(from.types, text, files.length + folders.length)) {
    e.preventDefault()
    attach(files, folders)
    document.getElementById('composer')?.focus()
  } else if (field && bytes(text) > LONG_PASTE) pasted.value = text.replace(/\r\n?/g, '\n')
}

export const DropArea = () => (dragging.value ? html`<div class="drop" aria-hidden="true"><p><${Icon} name="clip" /> ${t('dropHere')}</p></div>` : null)

/** Offers to send a long text as a file. @param {{over: boolean}} props over: it cannot be sent otherwise */
export function LongText({ over }) {
  const text = draft.value
  const part = pasted.value && text.includes(pasted.value) ? pasted.value : ''
  useEffect(() => { if (!part) pasted.value = '' }, [part])
  if (!part && !over) return null
  const take = async () => {
    const m = await filePart.load()
    if (!m) return void (leftOut.value = { why: 'away', names: ['text.txt'] })
    const content = part || text
    draft.value = draft.peek().replace(content, () => '').trim()
    pasted.value = ''
    await m.addFiles([new File([content], `${t('pastedName')}.txt`, { type: 'text/plain' })])
    document.getElementById('composer')?.focus()
  }
  return html`<p class="length offer" role="status">${over ? '' : t('pastedLong', { n: size(bytes(part)) })}
    <button type="button" onClick=${take}>${t('asFile')}</button></p>`
}

/** As many names as are said of what is left out. */
const NAMES = 5

const whys = /** @type {const} */ ({ tooMany: 'leftTooMany', folders: 'leftFolders', away: 'leftAway' })

/** What could not be attached, by name. */
export function LeftOut() {
  const left = leftOut.value
  if (!left) return null
  return html`<div class="length over left" role="alert"><span>${t(whys[left.why], { names: left.names.slice(0, NAMES).join(', ') + (left.names.length > NAMES ? ` … +${left.names.length - NAMES}` : '') })}</span>
    <button type="button" class="ghost" aria-label=${t('dismiss')} title=${t('dismiss')} onClick=${() => { leftOut.value = null }}><${Icon} name="close" /></button></div>`
}
