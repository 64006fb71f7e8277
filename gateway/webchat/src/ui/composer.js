// Where one writes.

import { html } from 'htm/preact'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { t } from '../i18n/language.js'
import { activeRuns } from '../chat/state.js'
import { bytes, size } from '../chat/bytes.js'
import { state } from '../app/current.js'
import { maxMessage, stop } from '../app/actions.js'
import { say } from '../app/sending.js'
import { sessionId } from '../app/route.js'
import { unkept } from '../app/storage.js'
import { draft } from './draft.js'
import { Field } from './field.js'
import { Icon } from './icons.js'
import { focusComposer } from './rail.js'

/** From here on the length is told. */
const NEARLY = 0.8

export function submit() {
  const text = draft.peek()
  if (!text.trim() || bytes(text) > maxMessage.peek()) return
  draft.value = ''
  say(text)
}

export function Composer() {
  const box = useRef(/** @type {HTMLTextAreaElement|null} */ (null))
  const busy = activeRuns(state.value).length > 0
  const blank = !draft.value.trim()
  const length = draft.value.length * 3 < maxMessage.value * NEARLY ? 0 : bytes(draft.value)
  const over = length > maxMessage.value
  useLayoutEffect(focusComposer, [sessionId.value])
  return html`<form class="composer" onSubmit=${(/** @type {Event} */ e) => { e.preventDefault(); submit() }}>
    ${length > maxMessage.value * NEARLY ? html`<p id="length" class=${over ? 'length over' : 'length'} role="status">
      ${t(over ? 'tooLong' : 'lengthOf', { n: size(length), max: size(maxMessage.value) })}</p>` : ''}
    ${unkept.value.size ? html`<p class="length">${t('unkept')}</p>` : ''}
    <div class="composer-box">
      <${Field} id="composer" box=${box} label=${t('composer')} placeholder=${t('placeholder')} text=${draft.value}
        change=${(/** @type {string} */ text) => { draft.value = text }} enter=${submit} describedBy=${over ? 'length' : undefined} />
      ${busy ? html`<button type="button" class="round stop" title=${t('stopHint')} aria-label=${t('stop')} onClick=${stop}><${Icon} name="stop" /></button>` : ''}
      ${!busy || !blank ? html`<button type="submit" class="round primary" title=${t('send')} aria-label=${t('send')}
        disabled=${blank || over}><${Icon} name="send" /></button>` : ''}
    </div>
  </form>`
}
