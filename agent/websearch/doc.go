// Package websearch asks a search provider of the web and makes one form of what
// it answers.
//
// Owns: providers.json, the one table of search providers, which the Worker
// (wrangler/egress) reads too; how each wants to be asked, and what its errors mean.
// Touches: the network, through the client that it is given.
// Never: follows a redirect, repeats a provider's own words in an error, or lets a
// key into a result, an error or a log.
package websearch
