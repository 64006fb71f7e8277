// A question: what will happen, the thing itself to the letter, and what can be decided.

import { html } from 'htm/preact'
import { moment } from '../i18n/language.js'
import { origin, sentence, w } from '../i18n/steps.js'
import { short } from '../chat/clip.js'
import { argument, stepOf } from '../chat/steps.js'
import { decide, deciding } from '../app/actions.js'
import { Exact } from './exact.js'
import { Icon } from './icons.js'
import { keepFocus } from './keep.js'
import { filled } from './said.js'
import { Given } from './thing.js'

/** @typedef {import('../chat/state.js').Call} Call */
/** @typedef {import('../i18n/steps.js').Key} Key */

/** What allows for longer than once, in its order. */
const longer = /** @type {const} */ (['turn', 'session', 'remember_7d'])

/** Tools whose thing stands below the sentence, whole. @type {Record<string, {key: Key, arg: string}>} */
const below = {
  exec_shell: { key: 'runThis', arg: 'command' },
  memory_save: { key: 'rememberThis', arg: 'content' },
  web_fetch: { key: 'openThis', arg: 'url' },
}

/** What a longer approval is good for. @param {Call} call @returns {Key} */
function covers({ name }) {
  if (name === 'write_file') return 'covers_write'
  if (name === 'exec_shell') return 'covers_run'
  return name.startsWith('mcp__') ? 'covers_tool' : 'covers_other'
}

/**
 * What is asked, and whether the page has said the scope with it already: only what is
 * shown whole, and is the same to the letter.
 * @param {Call} call
 */
function question(call) {
  const { name, args, scope } = call
  const form = Object.hasOwn(below, name) ? below[name] : undefined
  const text = form ? argument(args, form.arg) : ''
  if (form && text) return { said: w(form.key), thing: '', tool: false, whole: scope === `${name} ${text}` }
  const { verb, object, full, kind } = stepOf(call)
  return { said: sentence(verb, 'asks', object !== ''), thing: object, tool: kind === 'tool', whole: kind !== 'tool' && object === full && scope === `${name} ${full}` }
}

/** @param {{call: Call, n: number, of: number}} props the how manieth question of how many */
export function Ask({ call, n, of }) {
  const busy = deciding.value.has(call.approvalId)
  const { said, thing, tool, whole } = question(call)
  /** @param {string} decision */
  const answer = async (decision) => {
    await decide(call.approvalId, decision)
    const own = `[id="${CSS.escape(`call-${call.callId}`)}"] summary`
    keepFocus('.asks .primary:enabled', '.asks button:enabled', () => last(own), () => last('.steps > summary, .tool summary'), '#composer')
  }
  const can = (/** @type {string} */ decision) => call.decisions.includes(decision)
  const until = call.expiresAt ? moment(call.expiresAt) : ''
  const more = longer.filter(can)
  const title = `ask-${call.approvalId}`
  return html`<section class="tool asks" id=${'call-' + call.callId} role="group" aria-labelledby=${title}>
    <div class="ask-head"><${Icon} name="hand" /><p id=${title}>${filled(said, thing, tool)}</p>${of > 1 ? html`<span class="ask-of">${w('askOf', { n, of })}</span>` : ''}</div>
    <div class="tool-body">
      <${Given} call=${call} more=${whole ? 'scope' : 'given'} />
      ${whole || !call.scope ? '' : html`<p class="label">${w('scope')}</p><${Exact} text=${call.scope} label=${w('scope')} more="scope" first=${60_000} />`}
      ${call.foreign ? html`<${Sources} sources=${call.sources} />` : ''}
      ${more.length ? html`<div class="ask-longer"><p class="label">${w('longer', { what: w(covers(call)) })}</p><div class="row">${more.map((decision) => html`
        <button type="button" key=${decision} disabled=${busy} onClick=${() => answer(decision)}>${w(decision)}</button>`)}</div></div>` : ''}
      ${until ? html`<p class="muted">${w('until', { time: until })}</p>` : ''}
    </div>
    <div class="ask-foot row">
      ${can('once') ? html`<button type="button" class="primary" disabled=${busy} onClick=${() => answer('once')}>${w('once')}</button>` : ''}
      ${can('deny') ? html`<button type="button" class="danger" disabled=${busy} onClick=${() => answer('deny')}>${w('deny')}</button>` : ''}
    </div>
  </section>`
}

/** @param {string} selector */
const last = (selector) => /** @type {HTMLElement|undefined} */ ([...document.querySelectorAll(selector)].at(-1))

/** As many sources as are named. */
const NAMED = 8

/** Where text of others came from. @param {{sources: string[]}} props */
function Sources({ sources }) {
  const rest = sources.length - NAMED
  return html`<div class="ask-why"><p>${w(sources.length ? 'foreign' : 'foreignNone')}</p>
    ${sources.length ? html`<ul>${sources.slice(0, NAMED).map((s, i) => html`<li key=${i}><bdi>${short(origin(String(s)), 300)}</bdi></li>`)}${rest > 0 ? html`<li>${w('moreSources', { n: rest })}</li>` : ''}</ul>` : ''}</div>`
}
