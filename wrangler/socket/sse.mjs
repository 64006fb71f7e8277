/** Reads an event stream as pkg/sse does. */

/** As long as an event may be: a tool's output or a long answer in one piece. */
export const maxEvent = 8 << 20;

/** @typedef {{id?: string, data?: string, comment?: string}} Item an event, an id alone, or a comment */

/**
 * @param {ReadableStream<Uint8Array>} body
 * @returns {AsyncGenerator<Item>} it throws when the stream breaks or an event is too long
 */
export async function* readEvents(body) {
  const decoder = new TextDecoder();
  let rest = "";
  /** @type {string[]} */
  let data = [];
  let id = "";
  let held = 0;
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true });
    const lines = rest.split("\n");
    rest = lines.pop() ?? "";
    for (const raw of lines) {
      const line = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
      held += line.length;
      if (line === "") {
        if (data.length > 0) yield { id, data: data.join("\n") };
        else if (id) yield { id };
        data = [];
        id = "";
        held = 0;
        continue;
      }
      const { name, value } = field(line);
      if (name === "") yield { comment: value };
      if (name === "data") data.push(value);
      if (name === "id") id = value;
    }
    if (held + rest.length > maxEvent) throw new RangeError("an event is too long");
  }
}

/** @param {string} line */
function field(line) {
  const colon = line.indexOf(":");
  if (colon < 0) return { name: line, value: "" };
  const value = line.slice(colon + 1);
  return { name: line.slice(0, colon), value: value.startsWith(" ") ? value.slice(1) : value };
}
