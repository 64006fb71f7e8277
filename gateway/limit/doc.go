// Package limit says which limit applies to what, and under which key, and has
// the limiter of the native host.
//
// Owns: rates and their text form, the classes, the keys, the exact limiter in
// memory, and when an address that guesses is locked.
// Touches: memory only, within a bound; the clock is handed in.
// Never: waits, or knows what is being limited.
package limit
