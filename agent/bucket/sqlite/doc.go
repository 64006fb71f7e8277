// Package sqlite is a bucket in one SQLite file.
//
// Owns: the database at its path with the files that SQLite keeps beside it (-wal,
// -shm), one by which writers take turns (-turn), its tables, and the goroutine that
// commits. All writes that wait at the same time are one transaction with one sync
// (group commit).
// Touches: that file and the folder it lies in.
// Never: acknowledges a write before its transaction is durable, gives back
// something else than was written, or writes to a database of another program or of
// a later version.
package sqlite
