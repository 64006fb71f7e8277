// All servers and skills, each in a line: how it is, and the way to it.

import { html } from 'htm/preact'
import { useState } from 'preact/hooks'
import { following, skillAddress, toolsAddress } from '../app/route.js'
import { FaultBox } from '../ui/fault.js'
import { keepFocus } from '../ui/keep.js'
import { Line } from './foreign.js'
import { ServerForm } from './form.js'
import { Whose } from './server.js'
import { stateOf, toneOf } from './standing.js'
import { loadServers, loadSkills, removing, scopes, servers, serversFault, skills, skillsFault } from './state.js'
import { t } from '../i18n/language.js'
import { w } from './words.js'

/** To the top of what was opened. */
const arrive = () => keepFocus('#place')

export function ToolsPage() {
  return html`<${Servers} /><${Skills} />`
}

function Servers() {
  const [adds, setAdds] = useState(false)
  const shown = servers.value?.filter((s) => s !== removing.value)
  const mayAdd = !scopes.value || scopes.value.includes('chat')
  const close = () => {
    setAdds(false)
    keepFocus('#add-server', '#place')
  }
  return html`<section aria-labelledby="servers"><h2 id="servers">${w('servers')}</h2><p class="muted">${w('serversHint')}</p>
    ${serversFault.value ? html`<${FaultBox} fault=${serversFault.value} />` : ''}
    ${!shown && !serversFault.value ? html`<p role="status">${t('placeComing')}</p>` : ''}
    ${shown && !shown.length ? html`<p>${w('noServers')}</p>` : ''}
    ${shown?.length ? html`<ul class="entries">${shown.map((s) => html`<${ServerRow} key=${s.name} server=${s} />`)}</ul>` : ''}
    ${adds ? html`<${ServerForm} done=${close} />` : html`${mayAdd ? '' : html`<p class="muted">${w('needsChat')}</p>`}<div class="row">
      <button type="button" id="add-server" disabled=${!mayAdd} onClick=${() => setAdds(true)}>${w('addServer')}</button>
      <button type="button" onClick=${() => { loadServers(); loadSkills() }}>${w('refresh')}</button></div>`}</section>`
}

/** @param {{server: import('./standing.js').Server}} props */
function ServerRow({ server }) {
  const state = stateOf(server)
  const n = server.tools.length
  return html`<li><a href=${toolsAddress(server.name)} onClick=${following(toolsAddress(server.name), arrive)}>
    <span class="row-name"><${Line} text=${server.name} /></span><span class="tag tag-${toneOf(state)}">${w(state)}</span>
    <span class="row-more"><${Whose} server=${server} />${n ? html`<span class="muted"> · ${n === 1 ? w('oneTool') : w('nTools', { n })}</span>` : ''}</span></a></li>`
}

function Skills() {
  return html`<section aria-labelledby="skills"><h2 id="skills">${w('skills')}</h2><p class="muted">${w('skillsHint')}</p>
    ${skillsFault.value ? html`<${FaultBox} fault=${skillsFault.value} />` : ''}
    ${skills.value && !skills.value.length ? html`<p>${w('noSkills')}</p>` : ''}
    ${skills.value?.length ? html`<ul class="entries">${skills.value.map((s) => html`<${SkillRow} key=${s.name} skill=${s} />`)}</ul>` : ''}</section>`
}

/** @param {{skill: import('./standing.js').Skill}} props */
function SkillRow({ skill }) {
  const state = skill.error ? 'skillBroken' : stateOf(/** @type {any} */ (skill))
  return html`<li><a href=${skillAddress(skill.name)} onClick=${following(skillAddress(skill.name), arrive)}>
    <span class="row-name"><${Line} text=${skill.name} /></span><span class="tag tag-${skill.error ? 'bad' : toneOf(state)}">${w(state)}</span>
    <span class="row-more muted"><${Line} text=${skill.description.replaceAll('\n', ' ')} /></span></a></li>`
}
