// Package wire is what every adapter of a provider does alike, whatever the
// protocol: whom a request may reach, when it is sent again, what of a
// provider's words may be repeated, how text that comes in pieces is joined, how
// often a stream is read, and how long it may be silent.
//
// Owns: the HTTP client's manners, the rule of retries, the hiding of secrets,
// the joining of characters, the pace of a stream and the limit of its silence.
// Touches: nothing but the client that it is given, and the clock.
// Never: knows a protocol or a provider, or logs.
package wire
