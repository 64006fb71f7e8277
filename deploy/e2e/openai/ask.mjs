// OpenAI's own client, pointed at a gateway: node ask.mjs, with one line of
// JSON on standard input ({base, token, scripts}), and one on standard output.
import OpenAI from "openai";

const { base, token, first, second, busy, cut } = JSON.parse(await text(process.stdin));
const ai = new OpenAI({ baseURL: `${base}/v1`, apiKey: token, maxRetries: 0 });
const model = "loongclaw";
const out = {};

out.models = (await ai.models.list()).data.map(({ id }) => id);

/** @type {OpenAI.ChatCompletionMessageParam[]} */
const messages = [{ role: "system", content: "be brief" }, { role: "user", content: first }];
const whole = await ai.chat.completions.create({ model, messages });
out.answer = whole.choices[0].message.content;
out.finish = whole.choices[0].finish_reason;
out.tokens = whole.usage.total_tokens;

messages.push({ role: "assistant", content: out.answer }, { role: "user", content: second });
out.streamed = "";
out.pieces = 0;
for await (const chunk of await ai.chat.completions.create({ model, messages, stream: true, stream_options: { include_usage: true } })) {
  const piece = chunk.choices[0]?.delta.content;
  if (piece) out.pieces++;
  out.streamed += piece ?? "";
  out.streamedTokens = chunk.usage?.total_tokens;
}

out.twoAtOnce = await refused(() => ai.chat.completions.create({ model, messages, n: 2 }));
out.busy = await refused(() => ai.chat.completions.create({ model, messages: [{ role: "user", content: busy }] }));
out.cut = await refused(async () => {
  for await (const _ of await ai.chat.completions.create({ model, messages: [{ role: "user", content: cut }], stream: true }));
});
out.stranger = await refused(() => new OpenAI({ baseURL: `${base}/v1`, apiKey: "not-a-token-at-all", maxRetries: 0 }).models.list());
process.stdout.write(JSON.stringify(out));

/** @param {() => PromiseLike<unknown>} ask */
async function refused(ask) {
  try {
    await ask();
    return { refused: false };
  } catch (error) {
    return { refused: true, status: error.status, retryAfter: error.headers?.get("retry-after") ?? undefined, message: error.message };
  }
}

/** @param {AsyncIterable<Buffer>} stream */
async function text(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}
