// Package mcp is the client of servers of tools that speak the Model Context
// Protocol: the source of tools that are not ours.
//
// Owns: which servers there are, what their definitions were when somebody approved
// them, and whether they are the same now.
// Touches: servers over HTTP, and programs that the owner named, as children; the
// configuration, secrets and approvals in the store.
// Never: declares or calls a tool under definitions that nobody approved; shows a
// secret of a server; takes a server's word for what a tool may do.
package mcp
