// The one line that says what is going on. Only its kind is announced, not every second.

import { html } from 'htm/preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { signal } from '@preact/signals'
import { t } from '../i18n/language.js'
import { runningRun } from '../chat/state.js'
import { link, state } from '../app/current.js'
import { postingSince } from '../app/sending.js'

export const online = signal(typeof navigator === 'undefined' || navigator.onLine)

export function watchOnline() {
  addEventListener('online', () => { online.value = true })
  addEventListener('offline', () => { online.value = false })
}

/** @typedef {import('../i18n/language.js').Key} Key */
/** @returns {{key: Key|'', since: number, dot: string}} */
function now() {
  const s = state.value
  const run = runningRun(s)
  if (!online.value) return { key: 'offlineNow', since: 0, dot: 'bad' }
  if (link.value === 'lost') return { key: 'lost', since: 0, dot: 'bad' }
  if (s.status && (s.status.phase === 'waking' || s.status.phase === 'restoring')) return { key: s.status.phase, since: Date.parse(s.status.at), dot: 'busy' }
  if (run) {
    if (run.items.some((i) => i.kind === 'call' && i.call.state === 'approval')) return { key: 'waitingApproval', since: 0, dot: 'busy' }
    const open = run.items.at(-1)?.kind === 'answer'
    return { key: open ? 'answering' : 'thinking', since: Date.parse(run.startedAt), dot: 'busy' }
  }
  if (postingSince.value) return { key: 'waking', since: postingSince.value, dot: 'busy' }
  if (link.value === 'connecting') return { key: 'connecting', since: 0, dot: 'busy' }
  if (link.value === 'resting') return { key: 'idle', since: 0, dot: '' }
  if (link.value === 'open') return { key: 'connected', since: 0, dot: 'good' }
  return { key: '', since: 0, dot: '' }
}

export function StatusLine() {
  const { key, since, dot } = now()
  const [, tick] = useState(0)
  useEffect(() => {
    if (!since) return
    const timer = setInterval(() => tick((n) => n + 1), 1000)
    return () => clearInterval(timer)
  }, [since])
  const s = Math.max(0, Math.round((Date.now() - since) / 1000))
  // A normal acknowledgement is no waking.
  const hidden = key === 'waking' && since === postingSince.value && s < 2
  const text = key && !hidden ? t(key, { s }) : ''
  const answered = useRef(false)
  if (key === 'answering') answered.current = true
  else if (key && key !== 'connected') answered.current = false
  const said = since && key && !hidden ? t(key, { s: '' }).replace(/\s*(s|秒)?\s*$/, '') : answered.current ? t('answerDone') : text
  return html`<div class="status">
    <span class="dot ${dot}" aria-hidden="true"></span><span aria-hidden=${Boolean(since)}>${text}</span>
    <span role="status" class="unseen">${said}</span>
  </div>`
}
