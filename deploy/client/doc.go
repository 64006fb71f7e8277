// Package client is a client of LoongClaw seen from outside: HTTP, SSE and
// WebSocket, and a Ledger that holds what a client may rely on.
//
// Owns: the reading of events as a stranger reads them (its own event type, not
// the product's), and the law of chunks and cursors as a check.
// Touches: the network, to the gateway it is given.
// Never: imports the gateway or the agent. What it knows is the protocol.
package client
