// Where a link in an answer may lead, and which paths are those of files.

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

/** A path as the server keeps it; null where it may lead elsewhere than to a file. @param {string} path @returns {string|null} */
export function plainPath(path) {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.')
  const fits = parts.length > 0 && !path.startsWith('/') && !parts.includes('..') && path.length <= 1024
  // eslint-disable-next-line no-control-regex
  return fits && !/[\0-\x1f\x7f\\]/.test(path) ? parts.join('/') : null
}

/**
 * A file of the workspace that an answer offers: its path, '' when it is none. What
 * could lead elsewhere than to a file is none.
 * @param {string} href
 */
export function offered(href) {
  const [, raw = ''] = /^(?:\.?\/)?files\/([^?#]+)$/.exec(href) ?? []
  let path
  try {
    path = decodeURIComponent(raw)
  } catch {
    return ''
  }
  return plainPath(path) === path ? path : ''
}
