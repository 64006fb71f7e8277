// Package refusal understands how model providers say no.
//
// Owns: the forms of their errors, the table of their codes and phrases, and what
// each kind of refusal means for the user: code, message, hint, and whether asking
// again may help.
// Touches: nothing.
// Never: gives a key, an account's id or an address on to whoever reads the error.
package refusal
