// What may be in an answer, whoever makes it: the tree's elements and the
// sanitiser's are checked against the same lists.

export const tags = [
  'a', 'b', 'blockquote', 'br', 'button', 'code', 'del', 'details', 'div', 'em', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'hr', 'i', 'img',
  'kbd', 'li', 'ol', 'p', 'pre', 's', 'section', 'span', 'strong', 'sub', 'summary', 'sup', 'table', 'tbody', 'td', 'th', 'thead', 'tr', 'ul',
]
export const attributes = ['href', 'target', 'rel', 'src', 'alt', 'class', 'type', 'tabindex', 'start', 'value', 'data-copy', 'data-note', 'data-note-of', 'aria-label']
export const addresses = /^(?:https?:|mailto:|data:image\/(?:png|jpeg|gif|webp);base64,)/i

/** MathML as far as formulas need it: nothing that links, acts, fetches or styles. */
export const formulaTags = [
  'math', 'menclose', 'mfrac', 'mi', 'mmultiscripts', 'mn', 'mo', 'mover', 'mpadded', 'mphantom', 'mprescripts', 'mroot', 'mrow', 'ms', 'mspace',
  'msqrt', 'mstyle', 'msub', 'msubsup', 'msup', 'mtable', 'mtd', 'mtext', 'mtr', 'munder', 'munderover', 'none',
]
export const formulaAttributes = [
  'accent', 'accentunder', 'class', 'columnalign', 'columnlines', 'columnspacing', 'columnspan', 'depth', 'display', 'displaystyle', 'fence', 'form',
  'height', 'largeop', 'linethickness', 'lspace', 'mathbackground', 'mathcolor', 'mathsize', 'mathvariant', 'maxsize', 'minsize', 'movablelimits',
  'notation', 'rowalign', 'rowlines', 'rowspacing', 'rowspan', 'rspace', 'scriptlevel', 'separator', 'stretchy', 'symmetric', 'voffset', 'width',
]

/**
 * What of an SVG is drawn: shapes, words and gradients. Nothing that repeats a part
 * of it, moves, blurs, fetches or has styles of its own, so that what it costs grows
 * with its length.
 */
export const drawingTags = ['circle', 'defs', 'desc', 'ellipse', 'g', 'line', 'lineargradient', 'path', 'polygon', 'polyline', 'radialgradient', 'rect', 'stop', 'svg', 'text', 'title', 'tspan', '#text']
export const drawingAttributes = [
  'color', 'cx', 'cy', 'd', 'dominant-baseline', 'dx', 'dy', 'fill', 'fill-opacity', 'fill-rule', 'font-family', 'font-size', 'font-style', 'font-weight', 'fx', 'fy', 'gradienttransform',
  'gradientunits', 'height', 'id', 'offset', 'opacity', 'points', 'preserveaspectratio', 'r', 'rx', 'ry', 'spreadmethod', 'stop-color', 'stop-opacity', 'stroke', 'stroke-linecap',
  'stroke-linejoin', 'stroke-opacity', 'stroke-width', 'text-anchor', 'transform', 'viewbox', 'width', 'x', 'x1', 'x2', 'y', 'y1', 'y2',
]
