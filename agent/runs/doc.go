// Package runs is the lifetime of runs: start, follow, cancel, approve, resume,
// drain.
//
// Owns: the journal of each session and its records, who runs what, the text of
// answers that are being given, cursors' meaning, what has changed in a user's list.
// Touches: users' journals through package users, models and tools through
// package loop.
// Never: knows a transport. A run outlives the request that started it, and
// only an explicit cancel ends it.
package runs
