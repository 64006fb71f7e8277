// The only door for HTML into the page. With Trusted Types enforced, a string
// that did not come through here is refused by the browser itself.

import DOMPurify from 'dompurify'
import { addresses, attributes, drawingAttributes, drawingTags, formulaAttributes, formulaTags, tags } from './allowed.js'

/** @param {string} html @returns {string} a TrustedHTML where the browser knows them; its string where not */
export function sanitize(html) {
  return /** @type {any} */ (DOMPurify.sanitize(html, {
    ALLOWED_TAGS: tags,
    ALLOWED_ATTR: attributes,
    // The address rule below is for addresses; without this it would strike these, too.
    ADD_URI_SAFE_ATTR: attributes.filter((name) => name !== 'href' && name !== 'src'),
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
    ALLOWED_URI_REGEXP: addresses,
    RETURN_TRUSTED_TYPE: true,
  }))
}

/** @param {string} mathml @returns {string} as above */
export function sanitizeFormula(mathml) {
  return /** @type {any} */ (DOMPurify.sanitize(mathml, {
    ALLOWED_TAGS: formulaTags,
    ALLOWED_ATTR: formulaAttributes,
    ADD_URI_SAFE_ATTR: formulaAttributes,
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
    ALLOWED_URI_REGEXP: /^(?!)/,
    RETURN_TRUSTED_TYPE: true,
  }))
}

/** @param {string} svg @returns {{body: Element, left: string[]}} what may be drawn of it, and the names of what was taken out */
export function sanitizeDrawing(svg) {
  const body = /** @type {Element} */ (DOMPurify.sanitize(svg, {
    ALLOWED_TAGS: drawingTags,
    ALLOWED_ATTR: drawingAttributes,
    ADD_URI_SAFE_ATTR: drawingAttributes,
    // Drawn where something refers to them, which nothing does; and styles, by the name that they are given.
    ADD_FORBID_CONTENTS: ['clippath', 'marker', 'mask', 'pattern', 'symbol', 'x-style'],
    SANITIZE_DOM: false, // it never joins the page, and a gradient may be called "body"
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
    RETURN_DOM: true,
  }))
  return { body, left: DOMPurify.removed.map((/** @type {any} */ r) => (r.element ?? r.attribute)?.nodeName.toLowerCase() ?? '') }
}
