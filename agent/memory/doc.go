// Package memory is what a user's agent remembers: saving, finding, forgetting,
// recalling into a prompt, and the original's Markdown.
//
// Owns: memory items, their index, and the records "memory_saved" and
// "memory_forgotten" in the user's journal.
// Touches: the user's journal, through Log.
// Never: sees another user's items, or changes an id or a timestamp.
package memory
