// Package edge is the gateway's core: it takes a request's head and answers
// with a decision. Hosts carry decisions out.
//
// Owns: all routes and the chain of middleware (echo), decisions on requests
// and on WebSocket frames, the JSON of refusals.
// Touches: nothing. No I/O, no goroutine, no timer: on Workers one instance
// serves every request of an isolate, and a wait in it would hang them all.
// Never: sees the bytes of an answer's stream or a body larger than a frame.
package edge
