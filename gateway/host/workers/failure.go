package workers

import (
	"errors"
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

// failures are what each kind is to a client: what any host meets in the words of all,
// and what only Workers can meet.
var failures = map[string]*fault.Error{
	failTooLarge:  edge.ErrBodyTooLarge,
	failBody:      edge.ErrBodyBroke,
	failTimeout:   edge.ErrAgentSlow,
	failPass:      edge.ErrPassRefused,
	failHandshake: edge.ErrHandshake,
	failMany:      edge.ErrTooManyFollowed,
	failQueue:     edge.ErrTooManyWait,
	failSockets:   edge.TooManyOpen(edge.OpenSockets),
	failStreams:   edge.TooManyOpen(edge.OpenStreams),

	failBroken:  fault.New(fault.CodeAgentFailed, "the agent cannot be reached or broke off", "try again; if it stays, check AGENT_URL and look for the request id in the agent's log"),
	failAsset:   fault.New(fault.CodeNotFound, "Not found", "the page is not part of this deployment; build it with `make wasm` and deploy again"),
	failBinding: fault.New(fault.CodeUnavailable, "a binding of this Worker is missing", "compare wrangler.jsonc with the repository's and deploy again"),
	failObject:  fault.New(fault.CodeUnavailable, "the gateway cannot count or look up what this request needs", "try again; nothing was done").After(time.Second),
	failWaking:  fault.New(fault.CodeUnavailable, "the agent is waking and takes long", "try again in a few seconds; nothing was lost").After(5 * time.Second),
	failStart:   fault.New(fault.CodeUnavailable, "the agent's container does not start", "try again; if it stays, look for the agent in the Worker's log").After(10 * time.Second),
	failFull:    fault.New(fault.CodeUnavailable, "all containers are in use", "try again in a while; if it stays, raise max_instances in wrangler.jsonc").After(30 * time.Second),
	failFlood:   fault.New(fault.CodeRateLimited, "too many requests from this address", "wait a minute").After(time.Minute),
}

// failure is a failure as its client reads it.
func failure(kind string) *fault.Error {
	if e := failures[kind]; e != nil {
		return e
	}
	return fault.Internal(errors.New("a failure of no kind that is known: " + kind))
}
