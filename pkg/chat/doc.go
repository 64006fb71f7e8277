// Package chat is the contract between clients, gateway and agent: events,
// frames, cursors, ids and paths.
//
// Owns: the JSON of every event and frame, the form of cursors and ids, the
// paths of the HTTP API.
// Touches: nothing; standard library only, no I/O, no goroutines.
// Never: knows how an event came to be or where it is stored.
package chat
