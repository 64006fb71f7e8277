// Command gateway is LoongClaw's front door.
//
// Owns: reading the configuration, wiring core and host together, exit codes.
// Touches: the environment, the log file, the listening socket.
// Never: decides about a request; that is package edge.
package main
