// Package journal is the append-only truth: numbered objects, each a batch of
// records, each created once and holding the SHA-256 of the one before.
//
// Owns: the form of the objects, the chain, the writing of batches and the
// reading of them.
// Touches: a bucket, below one prefix for each journal.
// Never: overwrites or deletes an object of a journal that lives, or knows what
// a record means.
package journal
