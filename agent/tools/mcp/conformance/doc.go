// Package conformance judges our client of servers of tools by the official suite of
// the Model Context Protocol.
//
// Owns: what of the suite is expected to fail, and why.
// Touches: the suite, as a program of Node beside the servers of deploy/test/e2e/mcp; this
// test itself, as the client that the suite starts.
// Never: says what the protocol is. The suite does; of ours only the client is here.
package conformance
