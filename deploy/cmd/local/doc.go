// Command local runs gateway and agent on this machine, in one terminal. It is
// what `make run` starts.
//
// Owns: the files .run/*.env with the keys and the token that it made, so that a
// page stays logged in over restarts.
// Touches: bin/gateway and bin/agent, which it starts with its own environment
// and ends with itself; a .env file, as the original reads it.
// Never: replaces a variable that is set, or is needed: both programs start
// from their environment alone.
package main
