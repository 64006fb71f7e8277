// Where a link in an answer may lead.

/** @param {string} href @returns {URL|null} only what leads out of this page, in the open */
export function outward(href) {
  let url
  try {
    url = new URL(href)
  } catch {
    return null
  }
  if (!['http:', 'https:', 'mailto:'].includes(url.protocol)) return null
  // A link of ours with a login code would sign its reader in as somebody else.
  if (/^#login=/.test(url.hash)) return null
  return url
}
