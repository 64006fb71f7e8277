// OpenAI's own client, pointed at a gateway: node ask.mjs.
import OpenAI from "openai";
import { asked, refused, schema, tell } from "./rig.mjs";

const { base, token, first, second, busy, cut, label } = await asked();
const ai = new OpenAI({ baseURL: `${base}/v1/`, apiKey: token, maxRetries: 0 });
const model = "loongclaw";
const out = {};
const known = (error) => ({ retryAfter: error.headers?.get("retry-after") ?? undefined, code: error.code, type: error.type, param: error.param });

out.models = (await ai.models.list()).data.map(({ id }) => id);
out.model = (await ai.models.retrieve(model)).id;
out.noModel = await refused(() => ai.models.retrieve("no-such-model"), known);

/** @type {OpenAI.ChatCompletionMessageParam[]} */
const messages = [{ role: "system", content: "be brief" }, { role: "user", content: first }];
const whole = await ai.chat.completions.create({ model, messages });
out.answer = whole.choices[0].message.content;
out.finish = whole.choices[0].finish_reason;
out.tokens = whole.usage.total_tokens;

messages.push({ role: "assistant", content: out.answer }, { role: "user", content: second });
const stream = ai.chat.completions.stream({ model, messages, stream_options: { include_usage: true } });
out.pieces = 0;
stream.on("content", () => out.pieces++);
const final = await stream.finalChatCompletion();
out.streamed = final.choices[0].message.content;
out.streamedFinish = final.choices[0].finish_reason;
out.streamedTokens = final.usage.total_tokens;

const labelled = await ai.chat.completions.parse({ model, messages: [{ role: "user", content: label }], response_format: { type: "json_schema", json_schema: { name: "label", strict: true, schema } } });
const called = await ai.chat.completions.create({
  model, messages: [{ role: "user", content: label }], tool_choice: { type: "function", function: { name: "label" } },
  tools: [{ type: "function", function: { name: "label", parameters: schema } }],
});
out.titles = [JSON.parse(labelled.choices[0].message.content).title, JSON.parse(called.choices[0].message.tool_calls[0].function.arguments).title];

out.bad = await refused(() => ai.chat.completions.create({ model, messages, stop: "x" }), known);
out.busy = await refused(() => ai.chat.completions.create({ model, messages: [{ role: "user", content: busy }] }), known);
out.cut = await refused(async () => {
  for await (const _ of await ai.chat.completions.create({ model, messages: [{ role: "user", content: cut }], stream: true }));
}, known);
out.stranger = await refused(() => new OpenAI({ baseURL: `${base}/v1`, apiKey: "not-a-token-at-all", maxRetries: 0 }).models.list(), known);
tell(out);
