// A block of code: its language, a switch for long lines, a button to copy, and a
// fold where it is long.

import { html } from 'htm/preact'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { language, t } from '../i18n/language.js'
import { Painter } from './painter.js'

/** Longer code is folded when it is opened; what was seen growing never folds by itself. */
const FOLD_ABOVE = 40

/** @param {{code: string, lang: string, open: boolean}} props */
export function CodeBlock({ code, lang, open }) {
  language.value
  const ref = useRef(/** @type {HTMLElement|null} */ (null))
  const painter = useRef(/** @type {Painter|null} */ (null))
  const seenGrowing = useRef(false)
  const [wraps, setWraps] = useState(false)
  const [whole, setWhole] = useState(false)
  if (open) seenGrowing.current = true
  const lines = code.split('\n', 10_000).length
  const long = !seenGrowing.current && lines > FOLD_ABOVE
  useLayoutEffect(() => {
    painter.current ??= new Painter(/** @type {HTMLElement} */ (ref.current))
    painter.current.show(open ? code : `${code}\n`, lang, !open)
  }, [code, lang, open])
  return html`<div class=${`code${wraps ? ' wraps' : ''}${long && !whole ? ' folded' : ''}`}>
    <div class="code-head"><span>${lang}</span>
      <button type="button" aria-pressed=${wraps} aria-label=${t('wrap')} title=${t('wrap')} onClick=${() => setWraps(!wraps)}>${t('wrapShort')}</button>
      <button type="button" data-copy="code">${t('copy')}</button></div>
    <pre tabindex="0"><code class=${lang ? `language-${lang}` : undefined} ref=${ref}></code></pre>
    ${long ? html`<button type="button" class="fold" aria-expanded=${whole} onClick=${() => setWhole(!whole)}>${whole ? t('codeLess') : t('codeAll', { n: lines })}</button>` : ''}
  </div>`
}
