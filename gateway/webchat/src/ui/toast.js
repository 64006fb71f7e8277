// What is about to be removed, and the way back.

import { html } from 'htm/preact'
import { useLayoutEffect } from 'preact/hooks'
import { t } from '../i18n/language.js'
import { removing, undoRemove } from '../app/sessions.js'
import { keepFocus } from './keep.js'

export function Toast() {
  const gone = removing.value
  return gone ? html`<${Undo} key=${gone.session.id} gone=${gone} />` : null
}

/** @param {{gone: NonNullable<typeof removing.value>}} props */
function Undo({ gone }) {
  const { id, title } = gone.session
  // The focus goes where what came back stands, or else to the list.
  useLayoutEffect(() => () => keepFocus(`[data-row="${CSS.escape(id)}"] a`, '.list [tabindex="0"]', '#composer'), [])
  return html`<div class="toast" role="status"><span>${t(gone.what === 'session' ? 'deleted' : 'cleared', { title: title || t('untitled') })}</span>
    <button type="button" id="undo" onClick=${undoRemove}>${t('undo')}</button></div>`
}
