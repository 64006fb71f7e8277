// Which model answers, and the choice of another.

import { html } from 'htm/preact'
import { t } from '../i18n/language.js'
import { said } from '../i18n/said.js'
import { attached } from '../app/attached.js'
import { chooseModel, model, modelFault, models } from '../app/models.js'
import { sessionId } from '../app/route.js'

/** @param {number} n tokens */
const tokens = (n) => (n >= 1_000_000 ? `${+(n / 1_000_000).toFixed(1)}M` : `${Math.round(n / 1000)}k`)

/** @param {import('../app/models.js').Model} m */
function label(m) {
  const twins = models.value.filter((other) => other.name === m.name).length > 1
  return [twins ? m.id : m.name, m.vision ? t('modelSees') : '', m.context > 0 ? t('modelWindow', { n: tokens(m.context) }) : ''].filter(Boolean).join(' · ')
}

export function ModelPicker() {
  const now = model.value
  const all = models.value
  const fault = modelFault.value
  if (!now) return null
  const blind = !now.vision && attached.value.some((a) => a.kind === 'image' && !a.problem)
  return html`
    ${blind ? html`<p class="length warn" role="status">${t('modelBlind', { name: now.name })}</p>` : ''}
    ${fault && fault.id === sessionId.value ? html`<p class="length over" role="alert">${t('modelNotChanged')} ${said(fault.fault).text}
      <button type="button" onClick=${() => chooseModel(fault.wanted)}>${t('retry')}</button></p>` : ''}
    ${all.length > 1 ? html`<label class="model"><span class="unseen">${t('model')}</span>
      <select value=${now.id} onChange=${(/** @type {any} */ e) => chooseModel(e.currentTarget.value)}>
        ${all.map((m) => html`<option key=${m.id} value=${m.id} selected=${m.id === now.id}>${label(m)}</option>`)}
      </select></label>` : ''}`
}
