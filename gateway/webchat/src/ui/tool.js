// A tool call as a card: what exactly is asked, what came of it, and the
// question when it needs one.

import { html } from 'htm/preact'
import { language, t } from '../i18n/language.js'
import { decide, deciding } from '../app/actions.js'
import { Icon } from './icons.js'

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

/** The one argument that says it, for the closed card. @param {unknown} args */
function gist(args) {
  if (!args || typeof args !== 'object') return ''
  const first = Object.values(args).find((v) => typeof v === 'string' && v)
  return typeof first === 'string' ? first : ''
}

/** @param {{call: Call}} props */
export function ToolCard({ call }) {
  const asks = call.state === 'approval'
  return html`<section class="tool tool-${call.state}" aria-label=${`${t('tool')} ${call.name}: ${t(stateText[call.state])}`}>
    <details open=${asks || undefined} key=${asks}>
      <summary>
        <${Icon} name="tool" />
        <span class="tool-name">${call.name}</span>
        <span class="tool-gist">${gist(call.args)}</span>
        <span class="tool-state">${t(stateText[call.state])}</span>
      </summary>
      <div class="tool-body">
        <p class="label">${t('toolArguments')}</p>
        <pre tabindex="0">${exact(call.args)}</pre>
        ${call.state === 'running' || asks ? '' : html`
          <p class="label">${t('toolOutput')}</p>
          <pre tabindex="0" class="tool-output">${call.output || t('toolNoOutput')}</pre>`}
      </div>
    </details>
    ${asks ? html`<${Approval} call=${call} />` : ''}
  </section>`
}

/** @param {{call: Call}} props */
function Approval({ call }) {
  const busy = deciding.value.has(call.approvalId)
  /** @param {string} decision @param {string} label @param {string} look */
  const button = (decision, label, look) => html`<button type="button" class=${look} disabled=${busy}
    onClick=${() => decide(call.approvalId, decision)}>${label}</button>`
  const until = call.expiresAt ? new Date(call.expiresAt).toLocaleString(language.value === 'zh' ? 'zh-CN' : 'en', { dateStyle: 'medium', timeStyle: 'short' }) : ''
  return html`<div class="approval" role="group" aria-label=${t('toolApproval')}>
    <p><strong>${t('approveAsk')}</strong></p>
    ${call.scope ? html`<p class="muted">${t('approveScope', { scope: call.scope })}</p>` : ''}
    ${until ? html`<p class="muted">${t('approveUntil', { time: until })}</p>` : ''}
    ${call.sources.length ? html`<p class="muted">${t('approveForeign')}</p><ul class="muted">${call.sources.map((s) => html`<li>${s}</li>`)}</ul>` : ''}
    <div class="row">
      ${decisions.filter(([decision]) => call.decisions.includes(decision)).map(([decision, label, look]) => button(decision, t(label), look))}
    </div>
  </div>`
}
