// Command sick is put into an image in the agent's place, for deploys that must
// not stay: it does not start, or starts and answers 500, or is the agent on a
// store that nobody else sees.
//
// Owns: these ways of being bad.
// Touches: its container.
// Never: runs anywhere else.
package main
