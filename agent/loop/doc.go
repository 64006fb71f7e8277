// Package loop is one turn: the model answers, tools run, until it is done.
//
// Owns: the order of a turn's steps and the interfaces it needs for them.
// Touches: only what its interfaces give it; no I/O of its own, no goroutines.
// Never: knows a provider, a transport or a store. Where a turn stands is read
// from the steps that were recorded, so that a turn cut short by a crash goes on
// from the same place as one that waited for an approval.
package loop
