// What waits for the reader's decision, in all conversations, and the way there.

import { html } from 'htm/preact'
import { useEffect, useState } from 'preact/hooks'
import { getSession } from '../wire/api.js'
import { address, following } from '../app/route.js'
import { asking, readApprovals, sessions } from '../app/sessions.js'
import { moment, t } from '../i18n/language.js'
import { focusComposer } from '../ui/rail.js'
import { keepFocus } from '../ui/keep.js'
import { Foreign, Line } from './foreign.js'
import { w } from './words.js'

/** @typedef {import('../wire/api.js').Approval} Approval */

/** For how long the stream may owe what is asked. */
const SOON = 1000

/** What expires first comes first. @param {ReadonlyMap<string, Approval|null>} all */
const inOrder = (all) => [...all].sort(([, a], [, b]) => (Date.parse(a?.expiresAt ?? '') || Infinity) - (Date.parse(b?.expiresAt ?? '') || Infinity) || 0)

export function NeedsPage() {
  const all = inOrder(asking.value)
  const untold = all.some(([, approval]) => !approval)
  useEffect(() => {
    if (!untold) return
    const timer = setTimeout(readApprovals, SOON) // mostly the stream says it in this moment
    return () => clearTimeout(timer)
  }, [untold])
  return html`<section aria-labelledby="waiting"><h2 id="waiting" aria-live="polite">${all.length === 0 ? w('waitingNone') : all.length === 1 ? w('waitingOne') : w('waitingTitle', { n: all.length })}</h2>
    <ul class="entries needs-entries">${all.map(([id, approval]) => html`<${Waiting} key=${id} id=${id} approval=${approval} />`)}</ul></section>`
}

/** @param {{id: string, approval: Approval|null}} props */
function Waiting({ id, approval }) {
  const title = useTitle(id)
  const until = approval?.expiresAt ? moment(approval.expiresAt) : ''
  const arrive = () => {
    focusComposer()
    keepFocus('.log')
  }
  return html`<li><a href=${address(id)} onClick=${following(address(id), arrive)}><span class="row-name" dir="auto">${title || t('untitled')}</span></a>
    ${approval?.name ? html`<p class="muted">${w('waitingFor', { name: approval.name.slice(0, 100) })}${until ? html` · ${w('waitingUntil', { time: until })}` : ''}</p>` : ''}
    ${approval?.scope ? html`<${Foreign} text=${approval.scope} label=${w('asks')} />` : ''}</li>`
}

/** A conversation's title: the list's, or asked for where its row is not there. @param {string} id */
function useTitle(id) {
  const row = sessions.value.find((s) => s.id === id)
  const [title, setTitle] = useState('')
  useEffect(() => {
    if (!row) getSession(id).then((s) => setTitle(s.title), () => {})
  }, [id, !row])
  return row?.title || title
}
