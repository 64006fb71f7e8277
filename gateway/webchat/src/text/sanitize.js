// The only door for HTML into the page. With Trusted Types enforced, a string
// that did not come through here is refused by the browser itself.

import DOMPurify from 'dompurify'

const allowed = [
  'a', 'b', 'blockquote', 'br', 'button', 'code', 'del', 'div', 'em', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'hr', 'i', 'img',
  'li', 'ol', 'p', 'pre', 's', 'span', 'strong', 'sub', 'sup', 'table', 'tbody', 'td', 'th', 'thead', 'tr', 'ul',
]

/** @param {string} html @returns {string} a TrustedHTML where the browser knows them; its string where not */
export function sanitize(html) {
  return /** @type {any} */ (DOMPurify.sanitize(html, {
    ALLOWED_TAGS: allowed,
    ALLOWED_ATTR: ['href', 'target', 'rel', 'src', 'alt', 'class', 'type', 'tabindex', 'start', 'data-copy'],
    // The address rule below is for addresses; without this it would strike these, too.
    ADD_URI_SAFE_ATTR: ['target', 'rel', 'type', 'tabindex', 'start', 'data-copy'],
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
    ALLOWED_URI_REGEXP: /^(?:https?:|mailto:|data:image\/(?:png|jpeg|gif|webp);base64,)/i,
    RETURN_TRUSTED_TYPE: true,
  }))
}
