// Package guard turns a panic into an error, where one task must not end the
// process of all others.
//
// Owns: the error that a panic becomes.
// Touches: nothing.
// Never: hides a panic: whoever gets the error logs it with its stack.
package guard
