/** S3's answers in XML. */

/**
 * @param {number} status
 * @param {string} code
 * @param {string} message
 */
export function problem(status, code, message) {
  return xml(`<Error><Code>${code}</Code><Message>${escape(message)}</Message></Error>`, status);
}

/**
 * @param {string} prefix
 * @param {number} limit
 * @param {R2Objects} found
 */
export function listing(prefix, limit, found) {
  const contents = found.objects.map(
    ({ key, uploaded, httpEtag, size }) =>
      `<Contents><Key>${escape(key)}</Key><LastModified>${uploaded.toISOString()}</LastModified><ETag>${escape(httpEtag)}</ETag><Size>${size}</Size><StorageClass>STANDARD</StorageClass></Contents>`,
  );
  const next = found.truncated ? `<NextContinuationToken>${escape(found.cursor)}</NextContinuationToken>` : "";
  return xml(
    `<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>store</Name><Prefix>${escape(prefix)}</Prefix>` +
      `<KeyCount>${contents.length}</KeyCount><MaxKeys>${limit}</MaxKeys><IsTruncated>${found.truncated}</IsTruncated>${next}${contents.join("")}</ListBucketResult>`,
    200,
  );
}

/**
 * @param {string} body
 * @param {number} status
 */
function xml(body, status) {
  return new Response(`<?xml version="1.0" encoding="UTF-8"?>\n${body}`, { status, headers: { "Content-Type": "application/xml" } });
}

/** @param {string} text */
function escape(text) {
  return text.replace(/[<>&"'\u0000-\u001f]/g, (c) => `&#${c.charCodeAt(0)};`);
}
