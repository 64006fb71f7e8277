// Package anthropic answers through Anthropic's own protocol, POST …/messages.
//
// Owns: the form of a request and its cache marks; what of an earlier answer goes
// back (thinking with its signature, blocks that only this protocol has); how a
// stream of content blocks becomes text, calls, reasoning and usage; when a paused
// answer is continued.
// Touches: the provider, over the HTTP client that it is given.
// Never: reads the environment, logs a key or a conversation, shows a provider the
// thinking of another model, or gives a provider's whole words to a client.
//
// How it works. conversation.go writes a question as the messages that Anthropic
// takes, as a function of the question and the model alone, and on the way sums up
// everything that stands before each answer. The sum is kept with the answer's
// thinking: Anthropic binds thinking to what came before it, so it is sent back
// only where that is still the same. events.go cuts a stream into events, parts.go
// puts the events together, and model.go decides what follows from the end: an
// answer, another try, a shorter one, or its continuation.
//
// A Model is a loop.Model for the agent and an llms.Model for whatever else speaks
// langchaingo; both faces ask the same way. langchaingo's own client of this
// protocol is not used: it drops signatures and fails on blocks that it does not
// know.
package anthropic
