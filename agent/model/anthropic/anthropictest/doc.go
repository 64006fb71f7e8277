// Package anthropictest plays Anthropic: an HTTP handler that answers POST
// …/messages with what a script says, refuses what the real one refuses, in its own
// words, and misbehaves as it and the gateways before it do.
//
// Owns: the rules of a legal request, the signing of thinking, the faults of a
// stream, and the record of what was asked.
// Touches: nothing; whoever uses it listens.
// Never: decides what is right of an answer. It plays a provider; the tests judge.
//
// The rules are Anthropic's as of October 2026: its list of errors, its validation,
// and its rules for thinking that goes back (a block is signed with its text, and
// bound to all that stands before it). Where the real one merges what it could refuse,
// as with two messages of one side, this one refuses.
package anthropictest
