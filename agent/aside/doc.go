// Package aside answers questions beside all conversations: what a chat client wants to
// know about one, and what is to be JSON.
//
// Owns: how many such questions of a user are answered at once; the form of answers in
// JSON.
// Touches: the model through package loop.
// Never: keeps anything, or has tools, memory or a persona.
package aside
