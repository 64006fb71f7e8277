// Package load puts many streams on a gateway at once and counts every event.
//
// Owns: the crowds (streamed POSTs, chats, idle sockets, talkers that never stop),
// what they count, and a stub agent for when only the gateway is to be loaded.
// Touches: the network.
// Never: judges. Tests and benches do.
package load
