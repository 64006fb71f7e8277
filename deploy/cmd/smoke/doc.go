// Command smoke asks a deployed instance over thirty questions, one after the other, as a
// user with a token of its own, and says of each whether the answer is the one that
// this repository gives. It takes away what it made.
//
// Owns: the questions, what is expected of their answers, and the report, in which
// no secret and no address stands.
// Touches: the address it is given, over https (over http only on loopback), and
// follows no redirect; the token in the environment variable SMOKE_TOKEN.
// Never: prints the token or the address, or deletes what it did not make. It
// imports neither the gateway nor the agent.
package main
