// What the scripts of these clients share: one line of JSON on standard input
// ({base, token, first, second, third, busy, cut, label}), and one on standard output.

/** @returns {Promise<{base: string, token: string, first: string, second: string, third: string, busy: string, cut: string, label: string}>} */
export async function asked() {
  const chunks = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  return JSON.parse(Buffer.concat(chunks).toString("utf8"));
}

/** What an answer in JSON is to look like. */
export const schema = { type: "object", properties: { title: { type: "string" } }, required: ["title"], additionalProperties: false };

/** A tool that a client runs itself, and what was asked of it. */
export const lookingUp = {
  name: "get_weather",
  description: "The weather in a city.",
  parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"], additionalProperties: false },
  begin() {
    /** @type {string[]} */
    const ran = [];
    return { ran, weather: (/** @type {string} */ city) => { ran.push(city); return `cold in ${city}`; } };
  },
};

/** @param {object} out */
export const tell = (out) => process.stdout.write(JSON.stringify(out));

/**
 * What a client's user sees of an error.
 * @param {() => PromiseLike<unknown>} ask
 * @param {(error: any) => object} [more] what else this client knows of it
 */
export async function refused(ask, more = () => ({})) {
  try {
    await ask();
    return { refused: false };
  } catch (error) {
    return { refused: true, message: String(error?.message ?? error), status: error?.status ?? error?.statusCode, ...more(error) };
  }
}
