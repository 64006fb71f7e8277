// The conversation. It sticks to its end only while the reader is there.

import { html } from 'htm/preact'
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import { signal } from '@preact/signals'
import { t } from '../i18n/language.js'
import { path } from '../chat/tree.js'
import { visible } from '../chat/outbox.js'
import { link, linkFault, followAgain, state } from '../app/current.js'
import { actionFault, copyText } from '../app/actions.js'
import { parcels } from '../app/letters.js'
import { sessionId } from '../app/route.js'
import { say } from '../app/sending.js'
import { ParcelView, propsOf, TurnView } from './turn.js'
import { FaultBox } from './fault.js'
import { Bear, Icon } from './icons.js'

/** How near to the end still counts as there. */
const NEAR = 80
const atEnd = signal(true)

export function Log() {
  const box = useRef(/** @type {HTMLElement|null} */ (null))
  const s = state.value
  const turns = path(s)
  const pending = visible(parcels.value, s)
  const sent = parcels.value.at(-1)?.key
  const toEnd = () => { if (box.current) box.current.scrollTop = box.current.scrollHeight }
  useEffect(() => { atEnd.value = true; toEnd() }, [sessionId.value, sent])
  useLayoutEffect(() => { if (atEnd.peek()) toEnd() })
  const scrolled = () => {
    const el = /** @type {HTMLElement} */ (box.current)
    atEnd.value = el.scrollHeight - el.scrollTop - el.clientHeight < NEAR
  }
  const empty = !turns.length && !pending.length
  return html`<div class="log-frame">
    <div class="log" ref=${box} onScroll=${scrolled} onClick=${copyClick} role="log" aria-live="off" aria-label=${t('conversation')} tabindex="0">
      <div class="column">
        ${empty ? html`<${Start} />` : ''}
        ${turns.map((turn) => html`<${TurnView} key=${turn.userId} ...${propsOf(s, turn)} />`)}
        ${pending.map((p) => html`<${ParcelView} key=${p.key} parcel=${p} />`)}
        <${Faults} />
      </div>
    </div>
    ${atEnd.value ? '' : html`<button type="button" class="to-end" aria-label=${t('toBottom')} title=${t('toBottom')} onClick=${toEnd}><${Icon} name="down" /></button>`}
  </div>`
}

function Start() {
  if (sessionId.value && link.value === 'connecting') return null
  if (sessionId.value && link.value === 'missing' && !parcels.value.length) return html`<p class="muted missing">${t('notFound')}</p>`
  const tries = /** @type {const} */ (['try1', 'try2', 'try3'])
  return html`<div class="welcome">
    <${Bear} />
    <h2>${t('welcome')}</h2>
    <p>${t('welcomeHint')}</p>
    <div class="tries">${tries.map((key) => html`<button type="button" key=${key} onClick=${() => say(t(key))}>${t(key)}</button>`)}</div>
  </div>`
}

function Faults() {
  const again = html`<button type="button" onClick=${followAgain}>${t('retry')}</button>`
  const dismiss = html`<button type="button" onClick=${() => { actionFault.value = null }}>${t('dismiss')}</button>`
  return html`
    ${state.value.error ? html`<${FaultBox} fault=${state.value.error} />` : ''}
    ${linkFault.value ? html`<${FaultBox} fault=${linkFault.value} actions=${again} />` : ''}
    ${actionFault.value ? html`<${FaultBox} fault=${actionFault.value} actions=${dismiss} />` : ''}`
}

/** Copy buttons stand in sanitised HTML, so their clicks are caught here. @param {MouseEvent} e */
async function copyClick(e) {
  const button = e.target instanceof Element ? e.target.closest('button[data-copy]') : null
  const code = button?.closest('.code')?.querySelector('code')
  if (!button || !code) return
  if (!(await copyText((code.textContent ?? '').replace(/\n$/, '')))) return
  button.textContent = t('copied')
  setTimeout(() => { button.textContent = t('copy') }, 1500)
}
