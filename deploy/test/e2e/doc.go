// Package e2e tests LoongClaw from outside: real binaries, started by their
// environment alone, and real connections; only the model's provider is a fake. A test is named after what a user sees; a defect of the original
// has its number in the name.
//
// Owns: nothing but tests.
// Touches: the binaries through package testenv, the protocol through package
// client.
// Never: imports the gateway or the agent. The Anthropic that the agent's own tests
// play against is a provider and no part of it; here its real client judges it.
package e2e
