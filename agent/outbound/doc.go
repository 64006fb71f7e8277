// Package outbound is the one guarded HTTP client for what is asked for on
// somebody's word: pages, searches, servers of others.
//
// Owns: which addresses are on the public internet, the look at each of them when
// it is dialled, and how much of an answer is read.
// Touches: the network.
// Never: follows a redirect, goes through a proxy of the environment, or reaches an
// address of a private network that the owner has not named with its port.
package outbound
