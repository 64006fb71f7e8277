// A block of code: its language, a switch for long lines, a button to copy, and a
// fold where it is long.

import { html } from 'htm/preact'
import { h } from 'preact'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { chunk } from '../app/chunk.js'
import { saveFile } from '../app/files.js'
import { language, t } from '../i18n/language.js'
import { Painter } from './painter.js'

const drawingPart = chunk(() => Promise.all([import('./drawing.js'), import('../text/sanitize.js')]).then(([{ Drawing }, { sanitizeDrawing }]) => ({ Drawing, sanitize: sanitizeDrawing })), () => false)

/** What is a page or a picture of its own: how its file is called. @param {string} lang @param {string} code */
function fileOf(lang, code) {
  if (/^svg$/i.test(lang) || (/^(?:xml|html)$/i.test(lang) && /^\s*(?:<\?xml[^>]*>\s*)?<svg[\s>]/.test(code.slice(0, 1000)))) return 'svg'
  return /^html?$/i.test(lang) ? 'html' : ''
}

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
  const [drawn, setDrawn] = useState(false)
  if (open) seenGrowing.current = true
  const lines = code.split('\n', 10_000).length
  const long = !seenGrowing.current && lines > FOLD_ABOVE
  useLayoutEffect(() => {
    painter.current ??= new Painter(/** @type {HTMLElement} */ (ref.current))
    painter.current.show(open ? code : `${code}\n`, lang, !open)
  }, [code, lang, open])
  const file = open ? '' : fileOf(lang, code)
  const part = drawn ? drawingPart.here.value : null
  const draw = () => {
    setDrawn(!drawn)
    drawingPart.load()
  }
  return html`<div class=${`code${wraps ? ' wraps' : ''}${long && !whole ? ' folded' : ''}`}>
    <div class="code-head"><span>${lang}</span>
      ${file === 'svg' ? html`<button type="button" aria-pressed=${drawn} onClick=${draw}>${t('preview')}</button>` : ''}
      ${file ? html`<button type="button" onClick=${() => saveFile(new Blob([code]), `answer.${file}`)}>${t('saveCode')}</button>` : ''}
      <button type="button" aria-pressed=${wraps} aria-label=${t('wrap')} title=${t('wrap')} onClick=${() => setWraps(!wraps)}>${t('wrapShort')}</button>
      <button type="button" data-copy="code">${t('copy')}</button></div>
    ${drawn && file === 'svg' ? part ? h(part.Drawing, { code, sanitize: part.sanitize }) : html`<p class="drawing" role="status">${drawingPart.away.value ? t('partAway') : t('placeComing')}</p>` : ''}
    <pre tabindex="0"><code class=${lang ? `language-${lang}` : undefined} ref=${ref}></code></pre>
    ${long ? html`<button type="button" class="fold" aria-expanded=${whole} onClick=${() => setWhole(!whole)}>${whole ? t('showLess') : t('codeAll', { n: lines })}</button>` : ''}
  </div>`
}
