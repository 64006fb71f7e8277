package workers

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"

	"github.com/loongclaw/loongclaw/gateway/edge"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// Core decides on requests and on frames. *edge.Core is one.
type Core interface {
	Decide(edge.Head, edge.Facts) edge.Decision
	Frame(id edge.Identity, binary bool, frame []byte, f edge.Facts) edge.FrameDecision
	Connected(edge.Identity) json.RawMessage
	Follow(id edge.Identity, session string, f edge.Facts) edge.Call
	Expired(edge.Identity) *edge.Close
	ErrorFrame(session string, e *fault.Error) json.RawMessage
	PublicKey() string
}

// Configure makes the core from the Worker's variables and secrets. Its error
// is for the owner of the Worker and names what is wrong with them: clients see
// it, so it must not repeat a value.
type Configure func(vars map[string]string) (Core, error)

// bridge answers the calls from JavaScript.
type bridge struct {
	log       *slog.Logger
	configure Configure
	requestID func() string
	// lease asks JavaScript for one out of a share of a limit that this isolate holds.
	lease   func(key string) (edge.LimitAnswer, bool)
	core    Core
	refused error // why there is no core
}

// call answers one message from JavaScript. It never panics: a panic that got
// out would end the instance for every request of the isolate.
func (b *bridge) call(in string) (out string) {
	defer func() {
		if p := recover(); p != nil {
			err := fault.Internal(fmt.Errorf("panic: %v", p)).With(b.requestID())
			b.log.Error("a call panicked", "requestId", err.RequestID, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			out = encodeFault(err, dialectOf(in))
		}
	}()
	op, rest, _ := strings.Cut(in, sep)
	switch op {
	case opWarm:
		return warm(b.configure)
	case opConfigure:
		return b.start(rest)
	case opDecide:
		return b.decide(rest)
	case opFail:
		return b.fail(rest)
	}
	if answer, ok := b.socket(op, rest); ok {
		return answer
	}
	return encodeFault(fault.Internal(fmt.Errorf("unknown call %q", op)).With(b.requestID()), fault.Own)
}

// start makes the core. It answers with nothing, or with what is wrong.
func (b *bridge) start(in string) string {
	b.core, b.refused = b.configure(decodeVars(in))
	if b.refused != nil {
		b.log.Error("the configuration is refused", "error", b.refused)
		return b.refused.Error()
	}
	return ""
}

func (b *bridge) decide(in string) string {
	if b.core == nil {
		return encodeFault(b.notReady().With(b.requestID()), dialectOf(opDecide+sep+in))
	}
	head, facts, err := decodeDecide(in)
	if err != nil {
		return encodeFault(fault.Internal(err).With(b.requestID()), dialectOf(opDecide+sep+in))
	}
	facts.Lease = b.lease
	return encode(b.core.Decide(head, facts))
}

// notReady fails closed: without a valid configuration nobody is let in, and
// the owner, who looks at the page first, reads why.
func (b *bridge) notReady() *fault.Error {
	if b.refused == nil {
		return fault.New(fault.CodeUnavailable, "the gateway is not configured yet", "try again")
	}
	return fault.New(fault.CodeUnavailable, "the gateway is not configured: "+b.refused.Error(),
		"set what is missing with `npx wrangler secret put NAME`, or in vars of wrangler.jsonc, and deploy again")
}

// dialectOf returns how the client of the request that a call is about reads errors,
// however little of the call can be read.
func dialectOf(in string) fault.Dialect {
	op, rest, _ := strings.Cut(in, sep)
	if op != opDecide && op != opFail {
		return fault.Own
	}
	_, rest, _ = strings.Cut(rest, sep) // the method, or the kind
	if op == opFail {
		_, rest, _ = strings.Cut(rest, sep) // the request id
	}
	target, _, _ := strings.Cut(rest, sep)
	return fault.DialectOf(target)
}

// fail words a failure that JavaScript met while it carried a decision out.
func (b *bridge) fail(in string) string {
	kind, rest, _ := strings.Cut(in, sep)
	id, target, _ := strings.Cut(rest, sep)
	return encodeFault(failure(kind).With(id), fault.DialectOf(target))
}
