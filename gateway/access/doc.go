// Package access says who a credential speaks for and what that one may do.
//
// Owns: static tokens, session tokens, login codes, scopes, the list of origins
// the list of trusted proxies, JWT, Cloudflare Access and WebSocket tickets.
// Touches: nothing; no I/O, no goroutine, the clock is handed in.
// Never: logs or repeats a secret; keeps one longer than its hash.
package access
