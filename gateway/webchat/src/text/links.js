// Where a link in an answer may lead, and which paths are those of files.

/** What is longer is no address of a page: servers refuse it. */
const LONGEST = 8192

/** Any address of the web, as it is: only to say which host it names. @param {unknown} text @returns {URL|null} */
export function webHost(text) {
  if (typeof text !== 'string' || text.length > LONGEST) return null
  try {
    const url = new URL(text)
    return url.protocol === 'https:' || url.protocol === 'http:' ? url : null
  } catch {
    return null
  }
}

/** An address of the web that a reader may be led to. @param {unknown} text @returns {URL|null} */
export function webAddress(text) {
  const url = webHost(text)
  // What stands before an @ looks like the host to a reader, and would sign in as somebody.
  if (!url || url.username || url.password) return null
  // A link of ours with a login code would sign its reader in as somebody else.
  return /^#login=/.test(url.hash) ? null : url
}

/** Where a link in an answer may lead: out of this page, in the open. @param {string} href @returns {URL|null} */
export function outward(href) {
  if (!/^\s*mailto:/i.test(href)) return webAddress(href)
  try {
    return new URL(href)
  } catch {
    return null
  }
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
