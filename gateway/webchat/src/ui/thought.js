// What a model thought: one line, and on a press its words, as they are.

import { html } from 'htm/preact'
import { useState } from 'preact/hooks'
import { span, w } from '../i18n/steps.js'
import { lasted } from '../chat/steps.js'
import { tame, tamed } from '../chat/tame.js'
import { useNow } from './now.js'
import { drawn } from './parts.js'

/** @typedef {import('../chat/state.js').Thought} Thoughts */

/** As many paragraphs as are drawn; the server sends no more than 64 KiB. */
const MOST = 1500

/** @param {{thought: Thoughts}} props */
export function Thought({ thought }) {
  const [open, setOpen] = useState(false)
  const live = !thought.endedAt
  const now = useNow(live ? Infinity : 0)
  const ms = lasted(thought, live ? now : 0)
  const said = live ? w('thinking', { time: span(ms) }) : ms >= 1000 ? w('thought', { time: span(ms) }) : w('thoughtOnce')
  const newest = live && !open ? tamed(thought.text.slice(-400).trimEnd().split('\n').at(-1) ?? '') : ''
  return html`<details class=${live ? 'thinks live' : 'thinks'} open=${open} onToggle=${(/** @type {Event} */ e) => setOpen(/** @type {HTMLDetailsElement} */ (e.currentTarget).open)}>
    <summary><span class="thinks-said">${said}</span>${newest ? html`<span class="thinks-now" dir="auto" aria-hidden="true">${newest.slice(-160)}</span>` : ''}</summary>
    ${open ? html`<div class="thinks-text"><${Paragraphs} text=${thought.text} />
      ${thought.cut ? html`<p class="muted">${w('thoughtCut')}</p>` : ''}</div>` : ''}
  </details>`
}

/** Words as they are, a paragraph each. @param {{text: string}} props */
export const Paragraphs = ({ text }) => text.split(/\n\s*\n/, MOST).filter((p) => p.trim()).map((p, i) => html`<p key=${i} dir="auto">${drawn(tame(p))}</p>`)
