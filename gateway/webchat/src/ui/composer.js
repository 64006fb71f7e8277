// Where one writes. Enter sends, except while an input method composes.

import { html } from 'htm/preact'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { t } from '../i18n/language.js'
import { activeRuns } from '../chat/state.js'
import { state } from '../app/current.js'
import { editing, stop } from '../app/actions.js'
import { say } from '../app/sending.js'
import { sessionId } from '../app/route.js'
import { draft } from './draft.js'
import { Icon } from './icons.js'

/** Chrome says isComposing; Safari ends the composition first and leaves only this code. */
const IME = 229

export function submit() {
  const text = draft.peek()
  if (!text.trim()) return
  const edited = editing.peek()
  editing.value = null
  draft.value = ''
  if (edited) say(text, state.peek().messages.get(edited.id)?.parentId ?? edited.parentId)
  else say(text)
}

export function Composer() {
  const box = useRef(/** @type {HTMLTextAreaElement|null} */ (null))
  const busy = activeRuns(state.value).length > 0
  const edited = editing.value
  useLayoutEffect(() => {
    // Not where that would raise a keyboard over the page.
    if (matchMedia('(hover: hover)').matches) box.current?.focus()
  }, [sessionId.value])
  useLayoutEffect(() => {
    if (edited) box.current?.focus()
  }, [edited])
  /** @param {KeyboardEvent} e */
  const key = (e) => {
    if (e.key !== 'Enter' || e.shiftKey || e.isComposing || e.keyCode === IME) return
    e.preventDefault()
    submit()
  }
  return html`<form class="composer" onSubmit=${(/** @type {Event} */ e) => { e.preventDefault(); submit() }}>
    ${edited ? html`<div class="editing"><span>${t('editing')}</span>
      <button type="button" onClick=${() => { editing.value = null; draft.value = '' }}>${t('cancel')}</button></div>` : ''}
    <div class="composer-box">
      <div class="grow" data-text=${draft.value + '\n'}>
        <textarea id="composer" ref=${box} rows="1" aria-label=${t('composer')} placeholder=${t('placeholder')} value=${draft.value}
          onInput=${(/** @type {any} */ e) => { draft.value = e.currentTarget.value }} onKeyDown=${key} enterkeyhint="send"></textarea>
      </div>
      ${busy ? html`<button type="button" class="round stop" title=${t('stopHint')} aria-label=${t('stop')} onClick=${stop}><${Icon} name="stop" /></button>` : ''}
      ${!busy || draft.value.trim() ? html`<button type="submit" class="round primary" title=${t('send')} aria-label=${t('send')}
        disabled=${!draft.value.trim()}><${Icon} name="send" /></button>` : ''}
    </div>
  </form>`
}
