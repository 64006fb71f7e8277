package native

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"

	"github.com/loongclaw/loongclaw/gateway/edge"
)

// maxRefusal bounds a refusal that is read to see whether another agent may try.
const maxRefusal = 64 << 10

// roundTrip sends a request to the first agent of a place that takes it. A request that
// reached nobody goes on to the next; one that an agent may have taken does so only
// where a repetition is harmless. A body that is gone ends that: it is never sent
// twice. to makes the request for an agent.
func (h *Host) roundTrip(ctx context.Context, p edge.Upstreams, gone func() bool, to func(agent string) (*http.Request, error)) (*http.Response, error) {
	agent := p.Agent
	for left := p.Others; ; left = left[1:] {
		req, err := to(agent)
		if err != nil {
			return nil, err
		}
		resp, err := h.Agent.RoundTrip(req)
		again := false
		switch {
		case err != nil && isDialError(err):
			h.upstreams.missed(agent, err)
			again = true
		case err != nil:
			again = p.Repeat
		case resp.StatusCode == http.StatusServiceUnavailable && len(left) > 0:
			again = notAccepted(resp)
		}
		if err != nil && ctx.Err() == nil { // a client that goes away says nothing about an agent
			h.upstreams.doubt()
		}
		if !again || gone() || len(left) == 0 || ctx.Err() != nil {
			return resp, err
		}
		if err == nil {
			_ = resp.Body.Close()
			h.upstreams.missed(agent, errNotReady)
		}
		h.Log.Info("a request goes to another agent", "path", req.URL.Path, "from", agent, "to", left[0], "error", err)
		agent = left[0]
	}
}

// isDialError reports whether a request reached nobody.
func isDialError(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// notAccepted reads a refusal and puts back what it read.
func notAccepted(resp *http.Response) bool {
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxRefusal))
	rest := resp.Body
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(body), rest), rest}
	return err == nil && edge.NotAccepted(resp.StatusCode, body)
}
