// OpenAI's own client with tools that it runs itself: node tools_ask.mjs.
import OpenAI from "openai";
import { asked, lookingUp, tell } from "./rig.mjs";

const { base, token, first, second, third } = await asked();
const ai = new OpenAI({ baseURL: `${base}/v1/`, apiKey: token, maxRetries: 0 });
const model = "loongclaw";
const out = {};

/** @param {(city: string) => string} weather @returns {any} */
const tools = (weather) => [{
  type: "function",
  function: { name: lookingUp.name, description: lookingUp.description, parameters: lookingUp.parameters, parse: JSON.parse, function: ({ city }) => weather(city) },
}];

const whole = lookingUp.begin();
const run = ai.chat.completions.runTools({ model, messages: [{ role: "user", content: first }], tools: tools(whole.weather) });
out.answer = await run.finalContent();
out.ran = whole.ran;

const stream = lookingUp.begin();
const streamed = ai.chat.completions.runTools({ model, stream: true, messages: [{ role: "user", content: second }], tools: tools(stream.weather) });
out.streamed = await streamed.finalContent();
out.streamedRan = stream.ran;

/** @type {any[]} */
const messages = [...run.messages, { role: "user", content: third }];
out.next = (await ai.chat.completions.create({ model, messages })).choices[0].message.content;
tell(out);
