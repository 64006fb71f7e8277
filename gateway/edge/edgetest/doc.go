// Package edgetest is the conformance suite of the gateway: one list of cases
// that every host must pass, over real HTTP and against a fake agent.
//
// Owns: the cases, the fake agent, and what a host under test is given.
// Touches: 127.0.0.1, through the base URL that a target gives it.
// Never: knows which host it talks to.
package edgetest
