// Files as they are drawn: in the composer, with a message that waits, and with one
// that was sent.

import '../base.js'
import { html } from 'htm/preact'
import { useEffect, useState } from 'preact/hooks'
import { fileSize, isStuck } from '../chat/attachment.js'
import { attached } from '../app/attached.js'
import { bytesOf, sweepBytes } from '../app/bytes.js'
import { live, removeFile, retryFile } from '../app/uploads.js'
import { f } from '../i18n/files.js'
import { said } from '../i18n/said.js'
import { Icon } from './icons.js'
import { keepFocus } from './keep.js'
import { Picture } from './picture.js'

export { dropBytes, sweepBytes } from '../app/bytes.js'
export { addFiles, blame, settled } from '../app/uploads.js'
export { EditedFiles, SentFiles } from './sent.js'

/** @typedef {import('../chat/attachment.js').Attachment} Attachment */

/** When what is long forgotten is thrown away. */
const LATER = 60_000
setTimeout(() => sweepBytes(), LATER)

/** Files of the message that is being written. */
export function Chips() {
  const files = attached.value
  const stuck = files.filter(isStuck).length
  return html`<ul class="chips" aria-label=${f('list')}>${files.map((file) => html`<${Chip} key=${file.id} file=${file} own />`)}</ul>
    <span class="unseen" role="status">${f('sum', { n: files.length, ready: files.filter((a) => a.uploaded).length })} ${stuck ? f('sumStuck', { n: stuck }) : ''}</span>`
}

/** Files of a message that is not acknowledged. @param {{files: readonly Attachment[]}} props */
export const ParcelFiles = ({ files }) =>
  html`<ul class="chips" aria-label=${f('list')}>${files.map((file) => html`<${Chip} key=${file.id} file=${file} />`)}</ul>`

/** What is to be said of a file: its trouble, how far it is, or nothing. @param {Attachment} file */
function told(file) {
  if (file.problem) return { text: f(file.problem), bad: true }
  if (file.refused) {
    const { text, detail } = said(file.refused)
    return { text, detail, bad: true }
  }
  const now = live.value.get(file.id)
  if (now?.fault) return { text: `${said(now.fault).text} ${f('resting')}`, bad: false }
  if (now) return { text: f('uploading', { n: Math.floor(now.share * 100) }), share: now.share }
  return { text: file.uploaded ? '' : f('waiting') }
}

/** @param {{file: Attachment, own?: boolean}} props own: it can be removed */
function Chip({ file, own }) {
  const { text, detail, bad, share } = told(file)
  const bytes = useBytes(file)
  const waits = Boolean(live.value.get(file.id)?.fault)
  const remove = () => {
    const next = attached.peek()[attached.peek().findIndex((a) => a.id === file.id) + 1]
    removeFile(file)
    keepFocus(...(next ? [`[data-file="${next.id}"] [data-remove]`] : []), '#composer')
  }
  return html`<li class=${bad ? 'chip bad' : 'chip'} data-file=${file.id}>
    ${bytes && file.kind === 'image' ? html`<${Picture} bytes=${bytes} />` : html`<${Icon} name="file" />`}
    <span class="chip-text"><bdi class="chip-name" title=${file.name}>${file.name}</bdi>
      <span class="muted">${f(file.kind)} · ${fileSize(file.size)}${text && !bad ? ` · ${text}` : ''}</span>
      ${bad ? html`<span class="chip-trouble">${text}</span>${detail ? html`<span class="muted" dir="auto">${detail}</span>` : ''}` : ''}
      ${share !== undefined ? html`<progress max="1" value=${share} aria-label=${file.name}></progress>` : ''}</span>
    ${(file.refused || waits) && !file.problem ? html`<button type="button" class="ghost" aria-label=${f('again', { name: file.name })} title=${f('again', { name: file.name })}
      onClick=${() => retryFile(file)}><${Icon} name="again" /></button>` : ''}
    ${own ? html`<button type="button" class="ghost" data-remove aria-label=${f('remove', { name: file.name })} title=${f('remove', { name: file.name })}
      onClick=${remove}><${Icon} name="close" /></button>` : ''}
  </li>`
}

/** The bytes of an image, where this browser has them. @param {Attachment} file @returns {Blob|undefined} */
function useBytes(file) {
  const [bytes, setBytes] = useState(/** @type {Blob|undefined} */ (undefined))
  const wanted = file.kind === 'image' && !file.problem
  useEffect(() => {
    let over = false
    if (wanted) bytesOf(file.id).then((found) => { if (!over) setBytes(found) })
    return () => { over = true }
  }, [file.id, wanted])
  return bytes
}
