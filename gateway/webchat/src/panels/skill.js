// One skill: what it says, and whether the model may read it.

import { html } from 'htm/preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { following } from '../app/route.js'
import { FaultBox } from '../ui/fault.js'
import { keepFocus } from '../ui/keep.js'
import { readFile } from './api.js'
import { Beside } from './changes.js'
import { Foreign, Line } from './foreign.js'
import { stateOf, toneOf } from './standing.js'
import { approveSkill, loadSkills, scopes, skills, skillsFault } from './state.js'
import { t } from '../i18n/language.js'
import { w } from './words.js'

/** @typedef {import('./standing.js').Skill} Skill */

const PAGE = 'SKILL.md'

/** @param {{name: string}} props */
export function SkillPage({ name }) {
  const found = skills.value?.find((s) => s.name === name)
  const back = html`<p><a href="/tools" onClick=${following('/tools', () => keepFocus('#place'))}>← ${w('allTools')}</a></p>`
  if (!found) return html`${back}${skillsFault.value ? html`<${FaultBox} fault=${skillsFault.value} />` : html`<p role="status">${skills.value ? w('noSkill') : t('placeComing')}</p>`}`
  return html`${back}<${SkillView} key=${name} now=${found} />`
}

/** The key of the words for how a skill is. @param {Skill} s */
const nextOf = (s) => (s.error ? 'skillBrokenNext' : s.state === 'ready' ? 'skillReady' : s.state !== 'changed' ? 'skillUnapproved' : s.was === undefined ? 'skillChanged' : 'changedNext')

/** @param {{now: Skill}} props */
function SkillView({ now }) {
  const [shown, setShown] = useState(now)
  const [page, setPage] = useState(/** @type {string|null|undefined} */ (undefined)) // null: it cannot be read
  const [again, setAgain] = useState(false)
  const read = useRef(0)
  // What is approved is what was read: the text belongs to a hash that was the same before and after.
  const look = async (/** @type {Skill} */ skill) => {
    const mine = ++read.current
    setShown(skill)
    setPage(undefined)
    const text = await readFile(`skills/${skill.name}/${PAGE}`).catch(() => null)
    await loadSkills()
    if (mine !== read.current) return
    const after = skills.peek()?.find((s) => s.name === skill.name)
    if (after && after.hash !== skill.hash) return void look(after)
    setPage(text)
  }
  useEffect(() => { look(now) }, [])
  const state = now.error ? 'skillBroken' : stateOf(/** @type {any} */ (now))
  const passed = now.hash !== shown.hash || again
  const anew = () => {
    setAgain(false)
    look(now)
    keepFocus('#place')
  }
  return html`<article class="server" aria-labelledby="skill-name">
    <h2 id="skill-name"><${Line} text=${now.name} /></h2>
    <${Foreign} text=${now.description || w('noDescription')} label=${w('textOf', { name: now.name.slice(0, 100) })} />
    <p class="standing" role="status"><span class="tag tag-${now.error ? 'bad' : toneOf(state)}">${w(state)}</span> ${w(nextOf(now))}</p>
    ${now.error ? html`<p class="muted">${w('itSays')} <${Line} text=${now.error} /></p>` : ''}
    ${passed ? html`<div class="said again" role="alert"><p>${w('changedAgain')}</p><button type="button" class="primary" onClick=${anew}>${w('lookAnew')}</button></div>` : ''}
    ${shown.changes?.length ? html`<h3>${w('whatChanged')}</h3><ul>${shown.changes.map((c) => html`<li key=${c.file}><${Line} text=${c.file} /> <span class="tag tag-${c.what === 'removed' ? 'bad' : 'ask'}">${w(c.what === 'changed' ? 'fileChanged' : c.what) || c.what}</span></li>`)}</ul>` : ''}
    <h3>${PAGE}</h3>
    ${page === undefined ? html`<p role="status">${t('placeComing')}</p>` : page === null ? html`<p>${w('fileGone')}</p>`
      : shown.was !== undefined && shown.was !== page ? html`<${Beside} before=${shown.was} after=${page} name=${PAGE} />` : html`<${Foreign} text=${page} label=${PAGE} />`}
    <${Files} key=${shown.hash} skill=${shown} />
    ${now.state !== 'ready' && !now.error && !passed && typeof page === 'string' ? html`<${Approve} skill=${shown} refused=${() => setAgain(true)} />` : ''}
  </article>`
}

/** The other files of its folder, each read when somebody opens it. @param {{skill: Skill}} props */
function Files({ skill }) {
  const others = skill.files.filter((f) => f !== PAGE)
  return others.length ? html`<h3>${w('files')}</h3><ul class="definitions">${others.map((f) => html`<${File} key=${f} skill=${skill.name} path=${f} />`)}</ul>` : null
}

/** @param {{skill: string, path: string}} props */
function File({ skill, path }) {
  const [text, setText] = useState(/** @type {string|null|undefined} */ (undefined))
  const [open, setOpen] = useState(false)
  const toggle = async (/** @type {any} */ e) => {
    setOpen(e.currentTarget.open)
    if (e.currentTarget.open && text === undefined) setText(await readFile(`skills/${skill}/${path}`).catch(() => null))
  }
  return html`<li><details onToggle=${toggle}><summary><${Line} text=${path} /></summary>
    ${!open ? '' : text === undefined ? html`<p role="status">${t('placeComing')}</p>` : text === null ? html`<p>${w('fileGone')}</p>` : html`<${Foreign} text=${text} label=${path.slice(0, 100)} />`}</details></li>`
}

/** @param {{skill: Skill, refused: () => void}} props refused: it is another by now */
function Approve({ skill, refused }) {
  const [busy, setBusy] = useState(false)
  const [fault, setFault] = useState(/** @type {import('../wire/fault.js').Fault|null} */ (null))
  const mayNot = scopes.value && !scopes.value.includes('chat')
  const approve = async () => {
    setBusy(true)
    const said = await approveSkill(skill.name, skill.hash)
    setBusy(false)
    if (said?.code === 'conflict') refused()
    else setFault(said)
    keepFocus('.again button', '#place')
  }
  return html`<div class="decision" role="group" aria-label=${w('unapproved')}>
    ${skill.files.length > 1 ? html`<p>${w('approveSkillHint', { n: skill.files.length })}</p>` : ''}
    ${fault ? html`<${FaultBox} fault=${fault} />` : ''}
    ${mayNot ? html`<p id="why-not">${w('needsChat')}</p>` : ''}
    <div class="row"><button type="button" class="primary" disabled=${busy || mayNot} aria-describedby=${mayNot ? 'why-not' : undefined} onClick=${approve}>${w(busy ? 'approving' : 'approveSkill')}</button></div>
  </div>`
}
