// The picture that a program of shapes makes, drawn when somebody asks.

import '../base.js'
import { html } from 'htm/preact'
import { useMemo } from 'preact/hooks'
import { t } from '../i18n/language.js'
import { drawingOf } from '../text/drawing.js'

/** @param {{code: string, sanitize: typeof import('../text/sanitize.js').sanitizeDrawing}} props */
export function Drawing({ code, sanitize }) {
  const drawing = useMemo(() => drawingOf(code, sanitize), [code])
  if (!drawing) return html`<p class="drawing" role="status">${t('drawnNot')}</p>`
  return html`<figure class="drawing"><img src=${drawing.address} alt=${drawing.name} />${drawing.partial ? html`<figcaption>${t('drawnPartly')}</figcaption>` : ''}</figure>`
}
