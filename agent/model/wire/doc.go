// Package wire is what every adapter of a provider does alike, whatever the
// protocol: whom a request may reach, when it is sent again, what of a
// provider's words may be repeated, and how text that comes in pieces is joined.
//
// Owns: the HTTP client's manners, the rule of retries, the hiding of secrets,
// the joining of characters.
// Touches: nothing but the client that it is given.
// Never: knows a protocol or a provider, or logs.
package wire
