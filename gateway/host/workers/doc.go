// Package workers carries requests into the core on Cloudflare Workers and its
// decisions back out to JavaScript, which carries them out.
//
// Owns: the text that crosses between JavaScript and Go (message.go), the one
// function that JavaScript calls, and the recovery of panics.
// Touches: syscall/js and the memory that JavaScript sees, in serve_js.go and
// nowhere else. One instance of Go serves every request of an isolate, so a call
// answers at once.
// Never: waits, starts a goroutine, arms a timer, or sees a body.
package workers
