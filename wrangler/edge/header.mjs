/**
 * Puts the core's headers onto an answer; a name of the core's replaces the other's. A name
 * that comes several times keeps all its values.
 * @param {Response} response
 * @param {[string, string][]} header
 */
export function withHeader(response, header) {
  const { headers } = response;
  for (const [i, [name, value]] of header.entries()) {
    if (header.findIndex(([other]) => other === name) < i) headers.append(name, value);
    else headers.set(name, value);
  }
  return response;
}
