// What the reader sets for this browser, and who they are.

import { html } from 'htm/preact'
import { useEffect } from 'preact/hooks'
import { hasToken, signOut, user } from '../app/account.js'
import { chooseTheme, theme } from '../app/theme.js'
import { language, switchLanguage, t } from '../i18n/language.js'
import { loadConfig, version } from './state.js'
import { w } from './words.js'

const languages = /** @type {const} */ ([['zh', '中文', 'zh-CN'], ['en', 'English', 'en']])
const themes = /** @type {const} */ ([['system', 'themeSystem'], ['light', 'themeLight'], ['dark', 'themeDark']])

export function SettingsPage() {
  useEffect(() => { loadConfig() }, [])
  return html`<fieldset class="choice"><legend>${w('language')}</legend>${languages.map(([code, name, tag]) => html`<label key=${code} lang=${tag}>
      <input type="radio" name="language" checked=${language.value === code} onChange=${() => { if (language.peek() !== code) switchLanguage() }} />${name}</label>`)}</fieldset>
    <fieldset class="choice"><legend>${w('theme')}</legend>${themes.map(([which, key]) => html`<label key=${which}>
      <input type="radio" name="theme" checked=${theme.value === which} onChange=${() => chooseTheme(which)} />${w(key)}</label>`)}</fieldset>
    <section aria-labelledby="account"><h2 id="account">${w('account')}</h2>
      ${user.value ? html`<p>${w('signedInAs')} <bdi>${user.value}</bdi></p>` : ''}
      ${hasToken() ? html`<div class="row"><button type="button" onClick=${signOut}>${t('signOut')}</button></div>` : html`<p class="muted">${w('noSignIn')}</p>`}</section>
    <section aria-labelledby="about"><h2 id="about">${w('about')}</h2>${version.value ? html`<p>${w('version', { v: version.value })}</p>` : ''}
      <p><a href="/licenses.txt">${w('licences')}</a></p></section>`
}
