// Package client is a client of LoongClaw seen from outside: HTTP, SSE and
// WebSocket, a Ledger that holds what a client may rely on, and what those share
// who look at a deployed gateway: a Visitor who talks, and answers as data.
//
// Owns: the reading of events as a stranger reads them (its own event type, not
// the product's), the law of chunks and cursors as a check, what a stranger sees.
// Touches: the network, to the gateway it is given.
// Never: imports the gateway or the agent. What it knows is the protocol.
package client
