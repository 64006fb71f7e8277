// The one line that says what is going on, and nothing when nothing is. Only its
// kind is announced, not every second.

import { html } from 'htm/preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { signal } from '@preact/signals'
import { t } from '../i18n/language.js'
import { asks, runningRun } from '../chat/state.js'
import { link, linkWait, state } from '../app/current.js'
import { listWait } from '../app/watch.js'
import { posting } from '../app/sending.js'
import { sessionId } from '../app/route.js'
import { secondsTo } from './now.js'
import { doing } from './steps.js'

export const online = signal(typeof navigator === 'undefined' || navigator.onLine)

export function watchOnline() {
  addEventListener('online', () => { online.value = true })
  addEventListener('offline', () => { online.value = false })
}

/** @typedef {import('../i18n/language.js').Key} Key */
/** @typedef {{key: Key|'', words?: string, since?: number, until?: number, dot?: string}} Now since: seconds are counted up; until: down; words: what is being done */

const limits = new Set(['rate_limited', 'too_many_runs', 'session_busy'])

/** @returns {Now} */
function now() {
  const s = state.value
  const run = runningRun(s)
  if (!online.value) return { key: 'offlineNow', dot: 'bad' }
  const wait = (link.value === 'lost' && linkWait.value) || listWait.value
  if (wait) {
    if (wait.restart) return { key: 'restarting', dot: 'busy' }
    if (limits.has(wait.code)) return { key: 'limited', until: wait.until, dot: 'busy' }
    return { key: wait.code === 'network' ? 'lost' : 'away', dot: 'bad' }
  }
  if (s.status && (s.status.phase === 'waking' || s.status.phase === 'restoring')) return { key: s.status.phase, since: Date.parse(s.status.at), dot: 'busy' }
  if (run) {
    if (asks(run)) return { key: 'waitingApproval', dot: 'busy' }
    const last = run.items.at(-1)
    const call = run.items.findLast((i) => i.kind === 'call' && i.call.state === 'running')
    const words = call?.kind === 'call' && last?.kind === 'call' ? doing(call.call) : ''
    if (call?.kind === 'call' && words) return { key: 'doing', words, since: Date.parse(call.call.startedAt) || Date.parse(run.startedAt), dot: 'busy' }
    return { key: last?.kind === 'answer' ? 'answering' : 'thinking', since: Date.parse(run.startedAt), dot: 'busy' }
  }
  const posted = posting.value.get(sessionId.value)
  // A normal acknowledgement is no waking.
  if (posted) return Date.now() - posted < 2000 ? { key: '', since: posted } : { key: 'waking', since: posted, dot: 'busy' }
  // What is here is read on in silence.
  if (link.value === 'connecting' && !s.cursor) return { key: 'connecting', dot: 'busy' }
  return { key: '' }
}

export function StatusLine() {
  const { key, words = '', since = 0, until = 0, dot = '' } = now()
  const [, tick] = useState(0)
  const counts = since || until
  useEffect(() => {
    if (!counts) return
    const timer = setInterval(() => tick((n) => n + 1), 1000)
    return () => clearInterval(timer)
  }, [counts])
  const s = until ? secondsTo(until) : Math.max(0, Math.round((Date.now() - since) / 1000))
  const text = key ? t(key, { s, x: words }) : ''
  const answered = useRef(false)
  if (key === 'answering') answered.current = true
  else if (key) answered.current = false
  const said = counts && key ? t(key, { s: '', x: words }).replace(/\s*(s|秒)?\s*$/, '') : answered.current ? t('answerDone') : text
  return html`<div class="status">
    ${dot ? html`<span class="dot ${dot}" aria-hidden="true"></span>` : ''}<span class="status-text" aria-hidden=${Boolean(counts)}><bdi>${text}</bdi></span>
    <span role="status" class="unseen">${said}</span>
  </div>`
}
