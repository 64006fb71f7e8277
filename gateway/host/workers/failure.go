package workers

import (
	"crypto/rand"
	"encoding/hex"

	"github.com/loongclaw/loongclaw/pkg/fault"
)

// What can go wrong while JavaScript carries a decision out. carry.mjs and
// forward.mjs name these.
const (
	failTooLarge    = "too_large"
	failUnreachable = "unreachable" // no agent took the request
	failBroken      = "broken"      // the agent took it and broke off
	failTimeout     = "timeout"     // the agent did not answer in time
	failSocket      = "socket"      // a WebSocket, which this host does not end yet
	failAsset       = "asset"       // the core named a file that is not there
	failBinding     = "binding"     // wrangler.jsonc lacks a binding
)

// failure words a failure for the client.
func failure(kind string) *fault.Error {
	switch kind {
	case failTooLarge:
		return fault.New(fault.CodeTooLarge, "the request's body is too large", "send it in parts")
	case failUnreachable:
		return fault.New(fault.CodeUnavailable, "the agent cannot be reached", "try again in a moment; if it stays, check AGENT_URL and the agent's log")
	case failBroken:
		return fault.New(fault.CodeAgentFailed, "the agent broke off", "try again; if it stays, look for the request id in the agent's log")
	case failTimeout:
		return fault.New(fault.CodeAgentTimeout, "the agent did not answer in time", "try again; if it stays, look for the request id in the agent's log")
	case failSocket:
		return fault.New(fault.CodeUnavailable, "this Worker does not serve WebSockets yet", "the WebSocket comes with the Durable Object; until then use POST /api/chat and GET /api/sessions/{id}/events")
	case failAsset:
		return fault.New(fault.CodeNotFound, "Not found", "the page is not part of this deployment; build it with `make wasm` and deploy again")
	case failBinding:
		return fault.New(fault.CodeUnavailable, "a binding of this Worker is missing", "compare wrangler.jsonc with the repository's and deploy again")
	}
	return fault.New(fault.CodeInternal, "internal error", "try again; if it stays, look for the request id in the log")
}

// newRequestID names a request that the core did not get to name.
func newRequestID() string {
	var b [12]byte
	_, _ = rand.Read(b[:]) // never fails: it ends the program instead
	return hex.EncodeToString(b[:])
}
