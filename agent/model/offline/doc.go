// Package offline is the model without a key: a few dozen phrases instead of a
// language model, so that everything can be seen before an account exists.
//
// Owns: what it understands, in Chinese and English, and how it says it.
// Touches: nothing. It calls the agent's real tools, by asking for them.
// Never: pretends to be a language model, or makes anything up: what it says of
// files, time and memory comes out of a tool or out of the conversation.
package offline
