// Package websearchtest has fakes of the search providers for tests.
//
// Owns: what each provider refuses and the forms in which it answers.
// Touches: nothing.
// Never: is lenient. A request that the real provider would refuse is refused here,
// with the status and the form of error that the real one has.
package websearchtest
