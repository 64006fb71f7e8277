// Package telemetry is the root of the module of what the two native programs show to their
// operators in the same way. It has no code. It is a module of its own since its libraries
// are large: pkg, which the gateway's WebAssembly contains, requires nothing.
package telemetry
