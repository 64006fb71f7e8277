// Package providers is the one table of model providers: their names, variables,
// addresses and defaults.
//
// Owns: providers.json. The agent, the Worker (wrangler/egress), the deploy and the
// documentation read it; a new provider that speaks a known protocol is one row.
// Touches: nothing.
// Never: holds how a provider wants its requests (package dialect) or what its
// errors mean (package refusal).
package providers
