// Package files is a user's workspace: files that the user's tools, pages and
// shell commands share, kept as objects below one prefix of the bucket.
//
// Owns: which paths name a file, how a path becomes a key and back, and the
// limits of a file. A folder is not stored: it is there as long as a file is in
// it.
// Touches: a bucket, below its prefix only.
// Never: follows a path out of the workspace, or lets two paths that look the
// same to people name two files. What a key decodes to is exactly what was
// encoded, whatever its alphabet.
package files
