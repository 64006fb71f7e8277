/** Reads the header WWW-Authenticate (RFC 9110, 11.6.1): what a server wants of an authorization. */

/**
 * The parameters of its challenge for a Bearer token.
 * @param {string} header
 * @returns {Record<string, string>} empty where it has none
 */
export function bearer(header) {
  const at = /(?:^|,)\s*bearer(?=\s|,|$)/i.exec(header);
  /** @type {Record<string, string>} */
  const found = {};
  if (!at) return found;
  const parameter = /\s*,?\s*([A-Za-z0-9_.*-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))/y;
  parameter.lastIndex = at.index + at[0].length;
  for (let match = parameter.exec(header); match; match = parameter.exec(header)) {
    found[match[1].toLowerCase()] ??= match[2] === undefined ? match[3] : match[2].replace(/\\(.)/g, "$1");
  }
  return found;
}
