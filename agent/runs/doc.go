// Package runs is the lifetime of runs: start, follow, cancel, approve, resume,
// drain.
//
// Owns: the sessions that are open, each with one owner; the writing of their
// journals; which process runs what.
// Touches: the state of a session through package session, users' journals through
// package users, models and tools through package loop.
// Never: knows a transport. A run outlives the request that started it, and
// only an explicit cancel ends it.
package runs
