// Package audit checks what a store holds: every journal's chain, and every
// anchor against it.
//
// Owns: nothing.
// Touches: a bucket, by reading. It takes no lock and may run beside live agents:
// what they write or remove meanwhile never looks like damage.
// Never: writes, repairs, or believes a snapshot.
package audit
