package edge

import (
	"net/http"
	"strconv"
	"time"

	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// What can go wrong while a host carries a decision out, in the words that all hosts say
// it with. What only one host can meet stands with that host.
var (
	ErrBodyTooLarge = fault.New(fault.CodeTooLarge, "the body is too large for this path", "send it in parts, or as a file")
	ErrBodyBroke    = fault.New(fault.CodeInvalidRequest, "the body broke off", "send it again")
	ErrAgentSlow    = fault.New(fault.CodeAgentTimeout, "the agent did not answer in time", "try again; if it stays, look for the request id in the agent's log")
	ErrPassRefused  = fault.New(fault.CodeAgentFailed, "the agent does not accept this gateway's pass",
		"give the agent the PASS_PUBLIC_KEYS that belong to the gateway's PASS_PRIVATE_KEY (`gateway keygen` prints a pair), and compare both clocks")
	ErrHandshake       = fault.New(fault.CodeUnsupported, "this is not a WebSocket handshake of version 13", "use a WebSocket client of RFC 6455")
	ErrTooManyFollowed = fault.New(fault.CodeUnsupported, "this socket follows too many sessions", "open another socket")
	ErrTooManyWait     = fault.New(fault.CodeUnavailable, "too many frames of this socket wait for the agent", "wait for an answer before sending more").After(time.Second)
)

// Refusal is the answer with an error, as a client of the dialect reads it. The core and
// every host write errors with it.
func Refusal(e *fault.Error, d fault.Dialect) (http.Header, Respond) {
	h := http.Header{
		"Content-Type":           jsonType,
		"Cache-Control":          noStore,
		"X-Content-Type-Options": nosniff,
		chat.HeaderRequestID:     {e.RequestID},
	}
	if e.Status() == http.StatusUnauthorized {
		h["Www-Authenticate"] = bearer
	}
	if s := e.RetrySeconds(); s > 0 {
		h["Retry-After"] = []string{strconv.Itoa(s)}
	}
	return h, Respond{Status: e.Status(), Body: e.JSON(d)}
}
