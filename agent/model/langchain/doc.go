// Package langchain answers through a provider that speaks OpenAI's chat
// protocol, over langchaingo's OpenAI client.
//
// Owns: langchaingo and its defects; how a request is sent; how a provider's
// stream becomes text, calls, reasoning and usage; the retries.
// Touches: the provider, over the HTTP client that it is given.
// Never: reads the environment, logs a key or a conversation, or gives a
// provider's own words to a client.
//
// How it works. The library drives the stream, but never meets the provider nor
// the conversation: behind it stands an exchange (openai.WithHTTPClient) that
// sends the request of model/dialect in the place of the library's and hands the
// library a stream in which nothing is left to misread. What the provider said is
// teed off there, typed, and that is what Answer is made of; the library's result
// only has to agree that the answer came to an end.
//
// Anthropic is spoken to here only where a server before it speaks no other
// protocol, or the owner says so; its own protocol is in model/anthropic. Ollama is
// spoken to at /v1, since the library's client for it has no tool calls.
package langchain
