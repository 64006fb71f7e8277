// Package archive takes all of a user out of a store and brings it back.
//
// Owns: the form of an archive (a tar of the user's objects and a manifest), the
// consistent look at a user whose agent goes on working, the JSON and Markdown
// that people read, and the rules of an import.
// Touches: the bucket, below one user's prefix; on export it only reads. Memory
// of the original goes in through package memory.
// Never: writes before everything has been checked, overwrites an object, or
// puts what an object holds into an error.
//
// # What an archive is
//
// A tar of every object below u/{user}/, byte for byte, under its key, in the
// order of keys and with the time 0, so that the same objects give the same
// bytes; then manifest.json with the version, the user, and size and SHA-256 of
// each object. Heartbeats (u/{user}/agents/) are left out: they speak of
// processes, not of the user; so are journals' snapshots (…/snap/): they are a
// cache that is made again, and each is as large as its journal. The secrets of the
// user's own MCP servers are left out, too. A journal is bound to its place by its
// first hash, so an archive goes back to the user that it came from, and to no other;
// memory moves between users as Markdown.
//
// # What a deletion leaves
//
// Deleting or clearing a session removes every object below its prefix and its
// pending marker; nothing of its messages, answers, calls and results is left there. The
// user's own journal is append-only and keeps, of a deleted session, its id and
// its title (the first 60 characters of its first message, or what the user
// named it) in the records session_anchored, and the scopes that were approved
// for 7 days. The audit log in it keeps one entry for each of the session's tool
// calls and decisions: the tool's name, how it ended, and the scope of what was
// asked for, such as a file's name or a command; no arguments and no output.
// Forgetting a memory appends memory_forgotten; the forgotten text
// stays in its memory_saved record, and so does what memory_save took from a session
// or what was remembered unasked: the user's own words. Files that a
// session wrote belong to the workspace and stay until they are deleted
// there. To be rid of the rest, delete all of u/{user}/, or export Markdown,
// delete, and import what is to stay. An archive that was taken before a
// deletion holds what was deleted; importing it does not bring a session back
// into a store whose journal knows that it was deleted.
package archive
