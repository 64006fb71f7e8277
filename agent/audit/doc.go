// Package audit checks what a store holds: every journal's chain, and every
// anchor against it.
//
// Owns: nothing.
// Touches: a bucket, by reading. It takes no lock and may run beside live agents:
// what they write or remove meanwhile never looks like damage.
// Never: writes, repairs, or reads a snapshot for a journal. That one is there
// shows that its objects were.
package audit
