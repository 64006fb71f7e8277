// Package plain tells text that people can read to the letter from text that
// only looks like it.
//
// Owns: which characters cannot be seen or can be taken for a space, which words
// mix alphabets whose letters look the same, how a text is shown in one line, and where
// it may be cut.
// Touches: nothing.
// Never: changes a text that is used: what is not plain is refused or shown
// escaped.
package plain
