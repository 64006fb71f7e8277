// Command rollout is `make deploy` and `make rollback`: a rollout on Cloudflare, from
// the command line.
//
// Owns: flags, signals, the questions on a terminal.
// Touches: what it is given, once, at start.
// Never: holds logic of its own.
package main
