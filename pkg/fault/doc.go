// Package fault is the one error type of LoongClaw, on both sides of the wire.
//
// Owns: the codes, their HTTP statuses and the two JSON forms: our own,
// {"error","code","hint","requestId"}, and below /v1 that of OpenAI's clients.
// Touches: nothing; standard library only, no I/O.
// Never: carries the cause of an internal error to a client. The cause is for
// the log; Unwrap gives it, the JSON form does not.
package fault
