// Package files is a user's workspace: files that the user's tools, pages and
// shell commands share, kept as objects below one prefix of the bucket.
//
// Owns: which paths name a file, how a path becomes a key and back, and the
// limits of a file. A folder is not stored: it is there as long as a file is in
// it.
// Touches: a bucket, below its prefix only.
// Never: follows a path out of the workspace, or begins a file whose name has
// something in it that people cannot see, or can take for a space: beside it the
// same name without would be another file. Letters of two alphabets that look alike
// are two letters here, and may name two files. What a key decodes to is exactly
// what was encoded, whatever its alphabet.
package files
