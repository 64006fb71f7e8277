// Light or dark: the system's choice, unless the reader made one. The styles have
// dark as a media query, so a choice sets what those queries ask for.

import { signal } from '@preact/signals'
import { local } from './storage.js'

/** @typedef {'system'|'light'|'dark'} Theme */

const NAME = 'loongclaw.theme'
const asks = /prefers-color-scheme:\s*(dark|light)/

const kept = local.getItem(NAME)
export const theme = signal(/** @type {Theme} */ (kept === 'light' || kept === 'dark' ? kept : 'system'))

/** What each query asked for at first. @type {Map<MediaList, string>} */
const original = new Map()

/** @param {MediaList} media */
function set(media) {
  const which = asks.exec(original.get(media) ?? media.mediaText)?.[1]
  if (!which) return
  if (!original.has(media)) original.set(media, media.mediaText)
  media.mediaText = theme.peek() === 'system' ? original.get(media) ?? '' : theme.peek() === which ? 'all' : 'not all'
}

/** Brings what is chosen into every style, and the colour of the window's frame. */
export function showTheme() {
  for (const sheet of document.styleSheets) {
    for (const rule of sheet.cssRules) if (rule instanceof CSSMediaRule) set(rule.media)
  }
  for (const meta of /** @type {NodeListOf<HTMLMetaElement>} */ (document.querySelectorAll('meta[name="theme-color"]'))) {
    const which = asks.exec((meta.dataset.media ??= meta.media))?.[1]
    meta.media = theme.peek() === 'system' ? meta.dataset.media : which === theme.peek() ? 'all' : 'not all'
  }
  document.documentElement.style.colorScheme = theme.peek() === 'system' ? '' : theme.peek()
}

/** @param {Theme} which */
export function chooseTheme(which) {
  theme.value = which
  if (which === 'system') local.removeItem(NAME)
  else local.setItem(NAME, which)
  showTheme()
}

// Another tab chose.
if (typeof addEventListener === 'function') {
  addEventListener('storage', (e) => {
    if (e.key !== NAME) return
    theme.value = e.newValue === 'light' || e.newValue === 'dark' ? e.newValue : 'system'
    showTheme()
  })
}
