// A file that an answer offers: a press fetches it as its reader, who must be signed in.

import { html } from 'htm/preact'
import { useState } from 'preact/hooks'
import { t } from '../i18n/language.js'
import { download } from '../app/files.js'
import { tamed } from '../chat/tame.js'
import { Icon } from './icons.js'

/** @param {{path: string, text: string}} props */
export function FileChip({ path, text }) {
  const [now, setNow] = useState(/** @type {'here'|'fetching'|'missing'|'failed'} */ ('here'))
  const get = async () => {
    if (now === 'fetching') return
    setNow('fetching')
    const done = await download(path)
    setNow(done === 'kept' ? 'here' : done)
  }
  const name = path.split('/').at(-1) ?? path
  const said = tamed(text) || tamed(name)
  const word = now === 'missing' ? t('fileGone') : now === 'failed' ? t('fileFailed') : ''
  // Whatever it is called here, its own name says what one gets.
  const own = said.includes(name) ? '' : tamed(name)
  return html`<button type="button" class=${word ? 'file-chip gone' : 'file-chip'} title=${t('fileGet', { path: tamed(path) })} aria-busy=${now === 'fetching'} onClick=${get}>
    <${Icon} name="down" /><bdi>${said}</bdi>${own ? html`<bdi class="file-word">${own}</bdi>` : ''}${word ? html`<span class="file-word" role="status">${word}</span>` : ''}</button>`
}
