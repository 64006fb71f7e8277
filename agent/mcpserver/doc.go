// Package mcpserver lets clients of the Model Context Protocol use a user's agent:
// they read its conversations and its memory, send messages and wait for answers.
//
// Owns: the tools, their schemas and descriptions.
// Touches: the manager of runs and its users' memories. The protocol is the official
// SDK's.
// Never: knows who may do what beyond what it is told of a request, decides an
// approval for its client, or keeps anything between two requests.
package mcpserver
