// Starts the page.

import './base.js'
import { render } from 'preact'
import { effect } from '@preact/signals'
import { html } from 'htm/preact'
import { App } from './ui/app.js'
import { prosePart } from './ui/answer.js'
import { stepsPart } from './ui/steps.js'
import { filePart } from './app/parts.js'
import { draft, watchDraft } from './ui/draft.js'
import { watchKeys } from './ui/help.js'
import { watchOnline } from './ui/status.js'
import { watchWidth } from './ui/rail.js'
import { watchPrint } from './ui/fold.js'
import { placeTitle } from './ui/header.js'
import { showTheme } from './app/theme.js'
import { haveWords, language, t } from './i18n/language.js'
import { activeRuns } from './chat/state.js'
import * as account from './app/account.js'
import { readConfig } from './app/actions.js'
import { watchAttached } from './app/attached.js'
import { watchEdits } from './app/edits.js'
import { readModels } from './app/models.js'
import { unkept } from './app/storage.js'
import { loadFaultWords } from './i18n/said.js'
import { state, watchSession } from './app/current.js'
import { showParcels } from './app/letters.js'
import { watchList } from './app/watch.js'
import { watchPast } from './app/past.js'
import { sessionId, watchAddress } from './app/route.js'
import { dropShown, resumeSending } from './app/sending.js'
import { asking, listChanged, listedTitle, refresh, refreshUntold } from './app/sessions.js'

/** When a page that is used for nothing yet fetches the rest, in ms. */
const LATER = 30_000
/** When what may be needed next is fetched, in ms. */
const SOON = 1500

effect(() => {
  document.documentElement.lang = language.value === 'zh' ? 'zh-CN' : 'en'
})
// After a sign-in: what a page needs to draw itself, and what was left unsent.
effect(() => {
  if (account.phase.value === 'in') showParcels()
})
effect(() => {
  if (account.phase.value !== 'in') return
  refresh()
  readConfig()
  readModels()
  resumeSending()
  loadFaultWords()
})
// What the browser did not keep is asked about before it is lost.
addEventListener('beforeunload', (e) => { if (unkept.value.size) e.preventDefault() })
// The list changes when a run ends or a title does; mostly its stream says so.
let listed = ''
effect(() => {
  const now = `${state.value.title} ${activeRuns(state.value).length}`
  if (now !== listed) refreshUntold()
  listed = now
})
effect(() => {
  state.value
  dropShown()
})

showTheme()
watchAddress()
watchSession()
watchPast()
watchDraft()
watchAttached()
watchEdits()
watchWidth()
watchPrint()
watchKeys()
watchOnline()
watchList({ event: listChanged, lost: refresh })
// What draws answers is fetched with the first that may come; and in time, before a
// new version of the server has another one.
// What draws steps comes with the first of them, or a moment after the answers' chunk:
// most of what is opened is words.
const load = () => {
  setTimeout(stepsPart.load, SOON)
  return prosePart.load()
}
const drawn = sessionId.peek() ? load() : undefined
effect(() => { if (sessionId.value || draft.value) load() })
setTimeout(() => { load(); filePart.load() }, LATER)
// Who is here is asked while the words are on their way.
account.start()
await Promise.all([haveWords(), drawn])
render(html`<${App} />`, /** @type {HTMLElement} */ (document.getElementById('app')))
effect(() => {
  const title = placeTitle() || (sessionId.value && (state.value.title || listedTitle.value))
  const name = title ? `${title} · ${t('app')}` : t('app')
  const waiting = asking.value.size
  document.title = waiting ? `● ${t('needsYouN', { n: waiting })} · ${name}` : name
})
