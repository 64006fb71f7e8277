// Where one writes.

import { html } from 'htm/preact'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { t } from '../i18n/language.js'
import { isStuck } from '../chat/attachment.js'
import { activeRuns } from '../chat/state.js'
import { bytes, size } from '../chat/bytes.js'
import { state } from '../app/current.js'
import { maxMessage, stop } from '../app/actions.js'
import { attached, takeAttached } from '../app/attached.js'
import { say } from '../app/sending.js'
import { sessionId } from '../app/route.js'
import { unkept } from '../app/storage.js'
import { draft } from './draft.js'
import { Field } from './field.js'
import { AttachButton, Chips, DropArea, LeftOut, LongText, useIncoming } from './files.js'
import { Icon } from './icons.js'
import { ModelPicker } from './model.js'
import { focusComposer } from './rail.js'

/** From here on the length is told. */
const NEARLY = 0.8

export function submit() {
  // Files without a word go with the words that stand in the empty field.
  const text = draft.peek().trim() || !attached.peek().length ? draft.peek() : t('attachedOnly')
  if (!text.trim() || bytes(text) > maxMessage.peek() || attached.peek().some(isStuck)) return
  draft.value = ''
  say(text, undefined, takeAttached())
}

export function Composer() {
  const box = useRef(/** @type {HTMLTextAreaElement|null} */ (null))
  const busy = activeRuns(state.value).length > 0
  const files = attached.value
  const blank = !draft.value.trim() && !files.length
  const stuck = files.some(isStuck)
  const length = draft.value.length * 3 < maxMessage.value * NEARLY ? 0 : bytes(draft.value)
  const over = length > maxMessage.value
  useLayoutEffect(focusComposer, [sessionId.value])
  useIncoming()
  return html`<form class="composer" onSubmit=${(/** @type {Event} */ e) => { e.preventDefault(); submit() }}>
    ${length > maxMessage.value * NEARLY ? html`<p id="length" class=${over ? 'length over' : 'length'} role="status">
      ${t(over ? 'tooLong' : 'lengthOf', { n: size(length), max: size(maxMessage.value) })}</p>` : ''}
    ${[...unkept.value].some((name) => !name.startsWith('file ')) ? html`<p class="length">${t('unkept')}</p>` : ''}
    ${[...unkept.value].some((name) => name.startsWith('file ')) ? html`<p class="length">${t('unkeptFiles')}</p>` : ''}
    <${LongText} over=${over} />
    <${LeftOut} />
    ${stuck ? html`<p class="length over" id="stuck" role="status">${t('filesStuck')}</p>` : ''}
    <${DropArea} />
    <div class="composer-box">
      <${Chips} />
      <${AttachButton} focus=${() => box.current?.focus()} />
      <${Field} id="composer" box=${box} label=${t('composer')} placeholder=${t(files.length ? 'attachedOnly' : 'placeholder')} text=${draft.value}
        change=${(/** @type {string} */ text) => { draft.value = text }} enter=${submit} describedBy=${over ? 'length' : stuck ? 'stuck' : undefined} />
      ${busy ? html`<button type="button" class="round stop" title=${t('stopHint')} aria-label=${t('stop')} onClick=${stop}><${Icon} name="stop" /></button>` : ''}
      ${!busy || !blank ? html`<button type="submit" class="round primary" title=${t('send')} aria-label=${t('send')}
        disabled=${blank || over || stuck}><${Icon} name="send" /></button>` : ''}
    </div>
    <${ModelPicker} />
  </form>`
}
