// Package tasks is what a process does beside its requests, and how it stops.
//
// Owns: goroutines and timers of which a panic ends nothing but themselves; the work
// that a drain waits for; the context that all of it ends with.
// Touches: goroutines and timers.
// Never: knows what the work is.
package tasks
