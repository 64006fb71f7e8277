package workers

import "github.com/loongclaw/loongclaw/pkg/fault"

// What can go wrong while JavaScript carries a decision out. carry.mjs and
// forward.mjs name these.
const (
	failTooLarge = "too_large"
	failBroken   = "broken"  // the agent was not there or broke off: workerd does not tell which
	failTimeout  = "timeout" // the agent did not answer in time
	failPass     = "pass"    // the agent refused the gateway's pass
	failSocket   = "socket"  // a WebSocket, which this host does not end yet
	failAsset    = "asset"   // the core named a file that is not there
	failBinding  = "binding" // wrangler.jsonc lacks a binding
)

// failure words a failure for the client.
func failure(kind string) *fault.Error {
	switch kind {
	case failTooLarge:
		return fault.New(fault.CodeTooLarge, "the request's body is too large", "send it in parts")
	case failBroken:
		return fault.New(fault.CodeAgentFailed, "the agent cannot be reached or broke off", "try again; if it stays, check AGENT_URL and look for the request id in the agent's log")
	case failPass:
		return fault.New(fault.CodeAgentFailed, "the agent does not accept this gateway's pass",
			"give the agent the PASS_PUBLIC_KEYS that belong to the gateway's PASS_PRIVATE_KEY (`gateway keygen` prints a pair), and compare both clocks")
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
