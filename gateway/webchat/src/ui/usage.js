// What an answer cost, for who asks.

import { html } from 'htm/preact'
import { useState } from 'preact/hooks'
import { language, t } from '../i18n/language.js'
import { usageOf } from '../chat/usage.js'

const number = (/** @type {number} */ n) => n.toLocaleString(language.value === 'zh' ? 'zh-CN' : 'en')

/** @param {{run: import('../chat/state.js').Run}} props */
export function Usage({ run }) {
  const [open, setOpen] = useState(false)
  const usage = usageOf(run)
  if (!usage) return null
  const { seconds, total, read, wrote, cached, thought } = usage
  const parts = [
    seconds ? t('usageTime', { time: language.value === 'zh' ? `${number(seconds)} 秒` : `${number(seconds)} s` }) : '',
    total ? t('usageTokens', { n: number(total), in: number(read), out: number(wrote) }) : '',
    thought ? t('usageThought', { n: number(thought) }) : '', cached ? t('usageCached', { n: cached }) : '',
  ].filter(Boolean)
  if (!parts.length) return null
  return html`<button type="button" class="ghost usage-open" title=${t('usage')} aria-label=${t('usage')} aria-expanded=${open} onClick=${() => setOpen(!open)}>
      <svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d="M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18M12 11v5M12 8h.01" /></svg></button>
    ${open ? html`<span class="usage muted">${parts.join(' · ')}</span>` : ''}`
}
