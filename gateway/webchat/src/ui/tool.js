// A tool call as a card: what exactly is asked, what came of it, and the
// question when it needs one.

import { html } from 'htm/preact'
import { language, t } from '../i18n/language.js'
import { decide, deciding } from '../app/actions.js'
import { Exact } from './exact.js'
import { gist } from './gist.js'
import { Icon } from './icons.js'
import { keepFocus } from './keep.js'

/** @typedef {import('../chat/state.js').Call} Call */

const stateText = /** @type {const} */ ({
  running: 'toolRunning', approval: 'toolApproval', ok: 'toolOk', error: 'toolError', denied: 'toolDenied', skipped: 'toolSkipped',
})

/** @param {unknown} args */
const exact = (args) => (typeof args === 'string' ? args : JSON.stringify(args, null, 2))

/** What can be decided, in the order of the buttons. */
const decisions = /** @type {const} */ ([
  ['once', 'approveOnce', 'primary'], ['turn', 'approveTurn', ''], ['session', 'approveSession', ''], ['remember_7d', 'approveWeek', ''], ['deny', 'approveDeny', 'danger'],
])

/** @param {{call: Call}} props */
export function ToolCard({ call }) {
  const asks = call.state === 'approval'
  return html`<section class="tool tool-${call.state}" id=${'call-' + call.callId} aria-label=${`${t('tool')} ${call.name}: ${t(stateText[call.state])}`}>
    <details open=${asks || undefined} key=${asks}>
      <summary>
        <${Icon} name="tool" />
        <span class="tool-name">${call.name}</span>
        <span class="tool-gist" dir="auto">${gist(call.args)}</span>
        <span class="tool-state">${t(stateText[call.state])}</span>
      </summary>
      <div class="tool-body">
        <p class="label">${t('toolArguments')}</p>
        <${Exact} text=${exact(call.args)} label=${t('toolArguments')} json=${typeof call.args !== 'string'} />
        ${call.state === 'running' || asks ? '' : html`
          <p class="label">${t('toolOutput')}</p>
          <pre tabindex="0" class="tool-output" dir="auto">${call.output || t('toolNoOutput')}</pre>`}
      </div>
    </details>
    ${asks ? html`<${Approval} call=${call} />` : ''}
  </section>`
}

/** @param {{call: Call}} props */
function Approval({ call }) {
  const busy = deciding.value.has(call.approvalId)
  /** @param {string} decision */
  const answer = async (decision) => {
    await decide(call.approvalId, decision)
    keepFocus('.approval .primary:enabled', () => /** @type {HTMLElement|null} */ (document.getElementById(`call-${call.callId}`)?.querySelector('summary')), '#composer')
  }
  /** @param {string} decision @param {string} label @param {string} look */
  const button = (decision, label, look) => html`<button type="button" class=${look} disabled=${busy}
    onClick=${() => answer(decision)}>${label}</button>`
  const until = call.expiresAt ? new Date(call.expiresAt).toLocaleString(language.value === 'zh' ? 'zh-CN' : 'en', { dateStyle: 'medium', timeStyle: 'short' }) : ''
  return html`<div class="approval" role="group" aria-label=${t('toolApproval')}>
    <p><strong>${t('approveAsk')}</strong></p>
    ${call.scope ? html`<p class="label">${t('approveScope')}</p><${Exact} text=${call.scope} label=${t('approveScope')} more="scope muted" />` : ''}
    ${until ? html`<p class="muted">${t('approveUntil', { time: until })}</p>` : ''}
    ${call.sources.length ? html`<p class="muted">${t('approveForeign')}</p><ul class="muted">${call.sources.map((s) => html`<li><bdi>${s}</bdi></li>`)}</ul>` : ''}
    <div class="row">
      ${decisions.filter(([decision]) => call.decisions.includes(decision)).map(([decision, label, look]) => button(decision, t(label), look))}
    </div>
  </div>`
}
