// Package sse frames event streams as the WHATWG HTML standard has them.
//
// Owns: writing and reading of id, event, data and comment lines.
// Touches: the io.Writer or io.Reader that it is given, nothing else.
// Never: opens a connection, waits on a timer or knows what an event means.
package sse
