// Package native carries the core's decisions out on an ordinary machine.
//
// Owns: the HTTP server, the proxy to the agents, the WebSockets and their
// relays, the page's files, draining.
// Touches: the network on both sides, the clock, memory for limits and spent
// codes, or what it is given to share them with other gateways.
// Never: decides. Who may, how often and where to is the core's.
package native
