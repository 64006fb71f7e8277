// Package memory is what a user's agent remembers: saving, finding, forgetting,
// recalling into a prompt, and the original's Markdown.
//
// Owns: memory items, their index, and the records "memory_saved" and
// "memory_forgotten" in the user's journal.
// Touches: the user's journal, through Log.
// Never: sees another user's items, or changes an id or a timestamp.
//
// # The index
//
// Texts and what is sought in them are folded first (fold.go): case, width,
// ligatures, accents, ё, traditional and simplified characters. Nothing of that is
// stored; the index is made anew from the items at the first search. Words come out
// of bleve's analysis packages (Unicode segmentation, possessives, CJK bigrams, Porter
// stems), BM25 is ours. Both all of bleve and its analysis alone were measured with 20
// users of 300 memories each: a program with all of bleve and its in-memory index is
// 14.6 MB and holds 300 KiB of heap and a goroutine for each user (24 MiB resident); one with the analysis alone is 3.3 MB, and what
// we keep is eight bytes for each distinct word of a memory, under 30 KiB for
// such a user (TestIndexIsSmall holds that). An agent must fit hundreds of
// users into 64 MiB, so the index is a list of hashed words beside each item,
// made at the first search and read from end to end: 300 items take well under
// a millisecond, MaxItems some ten.
package memory
