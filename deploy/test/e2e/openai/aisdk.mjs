// The AI SDK with its provider for compatible servers, pointed at a gateway:
// node aisdk.mjs.
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateObject, generateText, jsonSchema, streamObject, streamText } from "ai";
import { asked, refused, schema, tell } from "./rig.mjs";

globalThis.AI_SDK_LOG_WARNINGS = false; // standard output is for what was heard
const { base, token, first, second, busy, cut, label } = await asked();
const as = (apiKey) => createOpenAICompatible({ name: "loongclaw", baseURL: `${base}/v1/`, apiKey, includeUsage: true })("loongclaw");
const model = as(token);
const maxRetries = 0;
const out = {};

/** @type {import("ai").ModelMessage[]} */
const messages = [{ role: "system", content: "be brief" }, { role: "user", content: first }];
const whole = await generateText({ model, messages, maxRetries });
out.answer = whole.text;
out.finish = whole.finishReason;
out.tokens = whole.usage.totalTokens;

messages.push({ role: "assistant", content: out.answer }, { role: "user", content: second });
const stream = await streamed(messages);
Object.assign(out, { streamed: stream.text, pieces: stream.pieces, streamedFinish: stream.finish, streamedTokens: stream.tokens });

const labelled = { model, schema: jsonSchema(schema), prompt: label, maxRetries };
const strict = createOpenAICompatible({ name: "loongclaw", baseURL: `${base}/v1/`, apiKey: token, supportsStructuredOutputs: true })("loongclaw");
const inPieces = streamObject(labelled);
for await (const _ of inPieces.partialObjectStream);
out.titles = [(await generateObject(labelled)).object.title, (await generateObject({ ...labelled, model: strict })).object.title, (await inPieces.object).title];

const known = (error) => ({ code: error.data?.error?.code, type: error.data?.error?.type, param: error.data?.error?.param, retryAfter: error.responseHeaders?.["retry-after"] });
out.bad = await refused(() => generateText({ model, messages, maxRetries, stopSequences: ["x"] }), known);
out.busy = await refused(() => generateText({ model, prompt: busy, maxRetries }), known);
out.cut = await refused(() => streamed([{ role: "user", content: cut }]), known);
out.stranger = await refused(() => generateText({ model: as("not-a-token-at-all"), prompt: "hi", maxRetries }), known);
tell(out);

/** @param {import("ai").ModelMessage[]} messages */
async function streamed(messages) {
  let failure;
  const result = streamText({ model, messages, maxRetries, onError: ({ error }) => { failure = error; } });
  let text = "";
  let pieces = 0;
  for await (const piece of result.textStream) {
    text += piece;
    pieces++;
  }
  if (failure) throw failure;
  return { text, pieces, finish: await result.finishReason, tokens: (await result.usage).totalTokens };
}
