// LangChain's client, pointed at a gateway: node langchain.mjs.
import { AIMessage, HumanMessage, SystemMessage } from "@langchain/core/messages";
import { ChatOpenAI } from "@langchain/openai";
import { asked, refused, schema, tell } from "./rig.mjs";

const { base, token, first, second, busy, cut, label } = await asked();
const as = (apiKey) => new ChatOpenAI({ model: "loongclaw", apiKey, maxRetries: 0, configuration: { baseURL: `${base}/v1/` } });
const ai = as(token);
const out = {};

const messages = [new SystemMessage("be brief"), new HumanMessage(first)];
const whole = await ai.invoke(messages);
out.answer = whole.text;
out.finish = whole.response_metadata.finish_reason;
out.tokens = whole.usage_metadata.total_tokens;

messages.push(new AIMessage(out.answer), new HumanMessage(second));
out.pieces = 0;
let all;
for await (const chunk of await ai.stream(messages)) {
  if (chunk.text) out.pieces++;
  all = all ? all.concat(chunk) : chunk;
}
out.streamed = all.text;
out.streamedFinish = all.response_metadata.finish_reason;
out.streamedTokens = all.usage_metadata.total_tokens;

out.titles = [];
for (const method of ["jsonSchema", "functionCalling", "jsonMode"]) {
  out.titles.push((await ai.withStructuredOutput(schema, { name: "label", method }).invoke(label)).title);
}

const known = (error) => ({ code: error.code, type: error.type, param: error.param });
out.bad = await refused(() => ai.invoke(messages, { stop: ["x"] }), known);
out.busy = await refused(() => ai.invoke([new HumanMessage(busy)]), known);
out.cut = await refused(async () => {
  for await (const _ of await ai.stream([new HumanMessage(cut)]));
}, known);
out.stranger = await refused(() => as("not-a-token-at-all").invoke("hi"), known);
tell(out);
