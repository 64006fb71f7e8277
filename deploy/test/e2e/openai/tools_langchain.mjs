// LangChain's client with bound tools: node tools_langchain.mjs.
import { HumanMessage, ToolMessage } from "@langchain/core/messages";
import { tool } from "@langchain/core/tools";
import { ChatOpenAI } from "@langchain/openai";
import { asked, lookingUp, tell } from "./rig.mjs";

const { base, token, first, second, third } = await asked();
const ai = new ChatOpenAI({ model: "loongclaw", apiKey: token, maxRetries: 0, configuration: { baseURL: `${base}/v1/` } });
const out = {};

/**
 * Asks until no tool is called any more.
 * @param {any[]} messages @param {(city: string) => string} weather @param {boolean} streams
 */
async function converse(messages, weather, streams) {
  const lookup = tool(({ city }) => weather(city), { name: lookingUp.name, description: lookingUp.description, schema: lookingUp.parameters });
  const bound = ai.bindTools([lookup]);
  for (;;) {
    let answer;
    if (streams) {
      for await (const chunk of await bound.stream(messages)) answer = answer ? answer.concat(chunk) : chunk;
    } else {
      answer = await bound.invoke(messages);
    }
    messages.push(answer);
    if (!answer.tool_calls?.length) return answer.text;
    for (const call of answer.tool_calls) {
      messages.push(new ToolMessage({ tool_call_id: call.id, content: await lookup.invoke(call.args) }));
    }
  }
}

const whole = lookingUp.begin();
const messages = [new HumanMessage(first)];
out.answer = await converse(messages, whole.weather, false);
out.ran = whole.ran;
const stream = lookingUp.begin();
out.streamed = await converse([new HumanMessage(second)], stream.weather, true);
out.streamedRan = stream.ran;
out.next = (await ai.invoke([...messages, new HumanMessage(third)])).text;
tell(out);
