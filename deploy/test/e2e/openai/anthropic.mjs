// Anthropic's own client, pointed at whoever plays Anthropic: node anthropic.mjs.
// One line of JSON comes in, {base, says: [text, …]}; for each text one line goes
// out: what the client made of the answers, to the end of their calls and pauses.
import Anthropic from "@anthropic-ai/sdk";
import { asked, refused, tell } from "./rig.mjs";

const { base, says } = await asked();
const ai = new Anthropic({ baseURL: base, apiKey: "sk-ant-none", maxRetries: 0 });
const tools = ["first", "second"].map((name) => ({ name, description: name, input_schema: { type: "object", properties: { n: { type: "number" } } } }));
const known = (error) => ({ code: error.type ?? undefined, retryAfter: error.headers?.get("retry-after") ?? undefined });

const out = [];
for (const text of says) {
  const heard = { text, turns: [] };
  heard.error = await refused(() => conversation(text, heard), known);
  out.push(heard);
}
out.push({ text: "whole", turns: [of(await ai.messages.create(request([{ role: "user", content: says[0] }])), {})] });
tell(out);

/** @param {Anthropic.MessageParam[]} messages */
function request(messages) {
  return { model: "claude-haiku-4-5", max_tokens: 4096, thinking: { type: "enabled", budget_tokens: 1024 }, tools, messages };
}

/** @param {string} text */
async function conversation(text, heard) {
  /** @type {Anthropic.MessageParam[]} */
  const messages = [{ role: "user", content: text }];
  for (let turn = 0; turn < 4; turn++) {
    const saw = { text: "", thinking: "", inputs: {}, signatures: 0, pieces: 0 };
    heard.saw = saw;
    const stream = ai.messages.stream(request(messages));
    stream.on("text", (piece) => { saw.text += piece; saw.pieces++; });
    stream.on("thinking", (piece) => { saw.thinking += piece; });
    stream.on("signature", () => { saw.signatures++; });
    stream.on("contentBlock", (block) => { if (block.type === "tool_use") saw.inputs[block.id] = block.input; });
    const message = await stream.finalMessage();
    heard.turns.push(of(message, saw));
    const calls = message.content.filter((block) => block.type === "tool_use");
    messages.push({ role: "assistant", content: message.content });
    if (calls.length > 0) messages.push({ role: "user", content: calls.map(({ id }) => ({ type: "tool_result", tool_use_id: id, content: "done" })) });
    else if (message.stop_reason !== "pause_turn") return;
  }
}

/** What a message of the client holds, and what its events told of it before. */
function of(message, saw) {
  return {
    saw,
    kinds: message.content.map(({ type }) => type),
    text: message.content.filter(({ type }) => type === "text").map(({ text }) => text).join(""),
    thinking: message.content.filter(({ type }) => type === "thinking").map(({ thinking }) => thinking).join(""),
    signed: message.content.filter(({ type, signature }) => type === "thinking" && signature !== "").length,
    redacted: message.content.filter(({ type }) => type === "redacted_thinking").map(({ data }) => data).join(""),
    calls: message.content.filter(({ type }) => type === "tool_use").map(({ id, name, input }) => ({ id, name, input })),
    stop: message.stop_reason,
    category: message.stop_details?.category,
    usage: { in: message.usage.input_tokens, out: message.usage.output_tokens, read: message.usage.cache_read_input_tokens, made: message.usage.cache_creation_input_tokens },
  };
}
