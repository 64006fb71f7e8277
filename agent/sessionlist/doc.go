// Package sessionlist is what a user sees of all their sessions: the list, what waits
// for a decision, and what changes in both.
//
// Owns: the counts of what has changed in each user's list, and the cursors into them.
// Touches: users' journals through package users, and the states of sessions that are
// in use, which it is shown.
// Never: opens a session or changes one.
package sessionlist
