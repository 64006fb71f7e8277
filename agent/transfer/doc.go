// Package transfer copies one store into another, object for object.
//
// Owns: the order in which that is done, what may be overwritten in the target, and
// the note in the target that a copy into it is under way.
// Touches: both stores; the source is only read.
// Never: copies a heartbeat, changes an object of a journal that the target has, or
// says that a copy is whole which was not compared byte for byte.
package transfer
