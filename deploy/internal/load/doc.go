// Package load puts many streams on a gateway at once and counts every event.
//
// Owns: virtual users of four kinds (streamed POSTs, chats, idle sockets, and users who
// never stop), what they count, and an agent that does nothing, for when only the
// gateway is to be loaded.
// Touches: the network.
// Never: judges. Tests and benches do.
package load
