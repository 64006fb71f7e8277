/**
 * Puts the core's headers onto an answer; a name of the core's replaces the other's.
 * @param {Response} response
 * @param {[string, string][]} header
 */
export function withHeader(response, header) {
  for (const [name] of header) response.headers.delete(name);
  for (const [name, value] of header) response.headers.append(name, value);
  return response;
}
