// Package dialect writes a conversation as a provider of OpenAI's chat protocol
// takes it. Providers agree on the protocol and differ in what they refuse: a
// conversation that one of them takes is refused for good by the next, for the
// order of its roles, an id, a blank text or a field.
//
// Owns: what each provider refuses, with the source of each rule; the form of a
// request.
// Touches: nothing. Everything here is a function of its arguments.
// Never: looks at later messages to write an earlier one, draws a number, or
// shows a provider what another one thought.
//
// A request is stable: what was sent of a conversation is sent again byte for
// byte while the conversation grows, so that a provider reads it from its cache.
// For the same reason the fields of a request come in the order in which they
// change: what stays the same first, then the messages, and then what only this
// request says.
package dialect
