// Command stub stands in an agent's container for the conformance suite: it
// hands each connection to the suite, which dials in from outside, since nothing
// can leave the container.
//
// Owns: the two ends of a connection.
// Touches: the network of its container.
// Never: reads what passes.
package main
