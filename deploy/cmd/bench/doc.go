// Command bench measures the gateway and the agent from outside and prints a
// table beside the budgets: `go run ./cmd/bench` in the module deploy.
//
// Owns: what is measured and how it is printed.
// Touches: the binaries through package testenv; wrk and nginx where they are
// installed.
// Never: fails because a machine is slow. It fails when an event is lost.
package main
