// The AI SDK with tools that it runs itself: node tools_aisdk.mjs.
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, jsonSchema, stepCountIs, streamText, tool } from "ai";
import { asked, lookingUp, tell } from "./rig.mjs";

globalThis.AI_SDK_LOG_WARNINGS = false; // standard output is for what was heard
const { base, token, first, second, third } = await asked();
const model = createOpenAICompatible({ name: "loongclaw", baseURL: `${base}/v1/`, apiKey: token, includeUsage: true })("loongclaw");
const out = {};

/** @param {(city: string) => string} weather @returns {any} */
const tools = (weather) => ({
  [lookingUp.name]: tool({ description: lookingUp.description, inputSchema: jsonSchema(lookingUp.parameters), execute: async ({ city }) => weather(city) }),
});
const stopWhen = stepCountIs(5);

const whole = lookingUp.begin();
/** @type {import("ai").ModelMessage[]} */
const messages = [{ role: "user", content: first }];
const answer = await generateText({ model, messages, tools: tools(whole.weather), stopWhen, maxRetries: 0 });
out.answer = answer.text;
out.ran = whole.ran;

const stream = lookingUp.begin();
let failure;
const streamed = streamText({ model, prompt: second, tools: tools(stream.weather), stopWhen, maxRetries: 0, onError: ({ error }) => { failure = error; } });
await streamed.consumeStream();
if (failure) throw failure;
out.streamed = await streamed.text;
out.streamedRan = stream.ran;

out.next = (await generateText({ model, messages: [...messages, ...answer.response.messages, { role: "user", content: third }], maxRetries: 0 })).text;
tell(out);
