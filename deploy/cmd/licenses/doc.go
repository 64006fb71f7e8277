// Command licenses writes docs/DEPENDENCIES.md: every module and every npm package
// that this repository names, its licence, and whether it is part of what users
// are given. `make dependencies` runs it.
//
// Owns: the form of that page.
// Touches: go.mod files and package locks, the module cache, the go command.
// Never: guesses. A licence that it does not recognise is an error.
package main
