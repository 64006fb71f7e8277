// Package journal is the append-only truth: numbered objects, each a batch of
// records, each created once and holding the SHA-256 of the one before.
//
// Owns: the form of the objects, the chain, the writing of batches and the
// reading of them; snapshots, which hold the same objects packed and only save
// time.
// Touches: a bucket, below two prefixes for each journal: …/log/ and …/snap/.
// Never: overwrites or deletes an object of a journal that lives, believes a
// snapshot that does not follow the chain, or knows what a record means.
package journal
