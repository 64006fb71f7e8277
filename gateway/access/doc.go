// Package access says who a credential speaks for and what that one may do.
//
// Owns: static tokens, session tokens, login codes, JSON Web Tokens, Cloudflare
// Access, WebSocket tickets, scopes, the list of origins and that of trusted proxies.
// Touches: nothing; no I/O, no goroutine, the clock is handed in.
// Never: logs or repeats a secret; keeps one longer than its hash.
package access
