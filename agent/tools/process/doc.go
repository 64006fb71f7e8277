// Package process looks after programs that the agent has started, and all that
// these start.
//
// Owns: which processes are the agent's own, the limits on a program's whole
// tree, and how a tree is ended so that nothing of it stays behind.
// Touches: /proc where there is one; signals.
// Never: starts a program, or decides what may be started.
package process
