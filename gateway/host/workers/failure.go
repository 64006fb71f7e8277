package workers

import (
	"time"

	"github.com/loongclaw/loongclaw/gateway/edge"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// What can go wrong while JavaScript carries a decision out. The Worker's
// modules name these.
const (
	failTooLarge = "too_large"
	failBroken   = "broken"  // the agent was not there or broke off: workerd does not tell which
	failTimeout  = "timeout" // the agent did not answer in time
	failPass     = "pass"    // the agent refused the gateway's pass
	failAsset    = "asset"   // the core named a file that is not there
	failBinding  = "binding" // wrangler.jsonc lacks a binding
	failObject   = "object"  // a Durable Object does not answer

	failHandshake = "handshake" // an upgrade that is no WebSocket's
	failMany      = "many"      // a socket that follows too many sessions
	failQueue     = "queue"     // a socket with too many frames that wait
	failWaking    = "waking"    // the container is still starting
	failStart     = "start"     // the container could not be started
	failFull      = "full"      // no container is left: max_instances run
	failFlood     = "flood"     // an address asks too much
	failBody      = "body"      // the request's body broke off
	failSockets   = "sockets"   // a user has too many sockets open
	failStreams   = "streams"   // a user has too many streams open
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
	case failHandshake:
		return fault.New(fault.CodeUnsupported, "this is not a WebSocket handshake of version 13", "use a WebSocket client of RFC 6455")
	case failObject:
		return fault.New(fault.CodeUnavailable, "the gateway cannot count or look up what this request needs", "try again; nothing was done").After(time.Second)
	case failMany:
		return fault.New(fault.CodeUnsupported, "this socket follows too many sessions", "open another socket")
	case failQueue:
		return fault.New(fault.CodeUnavailable, "too many frames of this socket wait for the agent", "wait for an answer before sending more").After(time.Second)
	case failWaking:
		return fault.New(fault.CodeUnavailable, "the agent is waking and takes long", "try again in a few seconds; nothing was lost").After(5 * time.Second)
	case failStart:
		return fault.New(fault.CodeUnavailable, "the agent's container does not start", "try again; if it stays, look for the agent in the Worker's log").After(10 * time.Second)
	case failFull:
		return fault.New(fault.CodeUnavailable, "all containers are in use", "try again in a while; if it stays, raise max_instances in wrangler.jsonc").After(30 * time.Second)
	case failFlood:
		return fault.New(fault.CodeRateLimited, "too many requests from this address", "wait a minute").After(time.Minute)
	case failBody:
		return fault.New(fault.CodeInvalidRequest, "the body broke off", "send it again")
	case failSockets:
		return edge.TooManyOpen(edge.OpenSockets)
	case failStreams:
		return edge.TooManyOpen(edge.OpenStreams)
	case failAsset:
		return fault.New(fault.CodeNotFound, "Not found", "the page is not part of this deployment; build it with `make wasm` and deploy again")
	case failBinding:
		return fault.New(fault.CodeUnavailable, "a binding of this Worker is missing", "compare wrangler.jsonc with the repository's and deploy again")
	}
	return fault.New(fault.CodeInternal, "internal error", "try again; if it stays, look for the request id in the log")
}
