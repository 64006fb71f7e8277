// Package webchat is the page: its sources (src), its built files (dist) and
// their embedding. Package build beside it turns the one into the other.
//
// Owns: the page's files, and the fonts, colours and words in them.
// Touches: nothing; the files are in the binary.
// Never: part of a WASM build (there the files are the platform's static
// assets), nor aware of who asks for them.
package webchat
