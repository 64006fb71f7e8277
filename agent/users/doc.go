// Package users is one user's journal and what it says: which sessions there
// are, what is remembered, which tools stand approved.
//
// Owns: the journal u/{user}/log/, its session and approval records, where the
// entries of the audit log are kept, the pending markers u/{user}/open/ of sessions
// with unfinished work, and the layout of a user's keys.
// Touches: the bucket; package memory for its records.
// Never: reads or writes what happens inside a session. That is package runs.
package users
