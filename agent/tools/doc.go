// Package tools is what the agent can do besides talking. One tool is one .go
// file, one .md file that the model reads, and one test.
//
// Owns: the tools, their descriptions and schemas, and the policy that says
// which call may run without asking.
// Touches: a user's files and memory through what Env gives; programs through
// the shell tool; the network through web_fetch; processes of its own, in which
// whatever hostile input could make endless is computed.
// Never: decides in the user's place. A call that the policy does not allow
// needs an approval, and an argument that the model fills in is none.
package tools
