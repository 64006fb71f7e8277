// Frames, lines and colours of a formula. The renderer writes them as style
// attributes, which the page's policy forbids; they become attributes of MathML
// and classes of the page's own style sheet. Nothing else of a style is kept.

/** The attribute of MathML or the class that says the same. @type {[RegExp, (found: RegExpExecArray) => {attribute?: string, name?: string}][]} */
const kept = [
  [/(?:^|;)color:(#[\da-f]{3,8}|[a-z]{3,20})\b/i, ([, colour]) => ({ attribute: `mathcolor="${colour}"` })],
  [/(?:^|;)background-color:(#[\da-f]{3,8}|[a-z]{3,20})\b/i, ([, colour]) => ({ attribute: `mathbackground="${colour}"` })],
  [/(?:^|;)border:/, () => ({ name: 'look-box' })],
  ...['top', 'bottom', 'left', 'right'].map((side) => /** @type {[RegExp, (found: RegExpExecArray) => {name: string}]} */ ([
    new RegExp(`(?:^|;)border-${side}:[^;]*\\b(solid|dashed|double)\\b`), ([, line]) => ({ name: `look-${side}${line === 'solid' ? '' : `-${line}`}` })])),
  [/(?:^|;)padding-left:0[a-z]*;/, () => ({ name: 'look-begins' })],
  [/(?:^|;)padding-right:0[a-z]*;/, () => ({ name: 'look-ends' })],
  [/(?:^|;)width:100%/, () => ({ name: 'look-wide' })],
  [/(?:^|;)width:50%/, () => ({ name: 'look-half' })],
]

/** @param {string} mathml @returns {string} the same without style attributes */
export const withoutStyles = (mathml) => mathml.replace(/<([a-z]+)((?: [\w-]+="[^"]*")*) style="([^"]*)"/g, (_, tag, attributes, style) => {
  const looks = kept.flatMap(([says, looksLike]) => {
    const found = says.exec(style)
    return found ? [looksLike(found)] : []
  })
  const names = looks.flatMap(({ name }) => name ?? [])
  const classes = / class="([^"]*)"/.exec(attributes)
  const rest = classes ? attributes.replace(classes[0], '') : attributes
  const all = [...(classes ? [classes[1]] : []), ...names].join(' ')
  return `<${tag}${rest}${all && ` class="${all}"`}${looks.map(({ attribute }) => attribute && ` ${attribute}`).filter(Boolean).join('')}`
})
