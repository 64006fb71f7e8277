// Package program is what the two native programs have in common as processes.
//
// Owns: which version a program is, the form of its log, the listener for whoever
// operates it, how much garbage may gather.
// Touches: the log's file, the listener that it is handed, the file system that says
// how much memory there is.
// Never: reads the environment; writes a secret that it was told of.
package program
