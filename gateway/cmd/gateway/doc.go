// Command gateway is what clients of LoongClaw talk to: it lets them in and sends
// their requests on to the agent.
//
// Owns: reading the configuration, wiring core and host together, exit codes.
// Touches: the environment, the log file, the listening socket.
// Never: decides about a request; that is package edge.
package main
