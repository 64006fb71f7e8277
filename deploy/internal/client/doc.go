// Package client is a client of LoongClaw that knows nothing but the protocol: HTTP,
// SSE and WebSocket; a Ledger that checks what a client may rely on; and a Visitor, who
// holds a conversation with a deployed gateway.
//
// Owns: the reading of events by an event type of its own and not by the product's,
// the law of chunks and cursors as a check, what a caller without a credential sees.
// Touches: the network, to the gateway it is given.
// Never: imports the gateway or the agent. What it knows is the protocol.
package client
