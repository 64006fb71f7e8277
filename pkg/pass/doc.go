// Package pass is the signed statement that the gateway gives the agent:
// "user U with scopes S asks for METHOD PATH, until T".
//
// Owns: the pass's form, its Ed25519 signature and the encoding of its keys.
// Touches: nothing; standard library only, no I/O, the clock is handed in.
// Never: decides who a user is. That is the gateway's package access.
package pass
