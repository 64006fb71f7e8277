// Package testenv runs the real binaries: builds them, starts them with an
// environment and nothing else, waits until they are ready, kills them and
// starts them again on the same store.
//
// Owns: the processes, their ports, keys and logs.
// Touches: the go command, the disk below the folder it is given, loopback.
// Never: imports the gateway or the agent.
package testenv
