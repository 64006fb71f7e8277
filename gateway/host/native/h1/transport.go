package h1

import (
	"context"
	"fmt"
	"math"
	"net"
	"net/http"
	"net/url"
)

const (
	// maxBody is the longest body that is written before the answer is read: with the
	// head it fits what two sockets hold, so that nobody waits for the other.
	// http.Transport reads while it writes.
	maxBody = 16 << 10
	// maxHead bounds an answer's head where the transport says nothing, as in net/http.
	maxHead = 10 << 20
)

// transport carries small requests for an http.Transport.
type transport struct {
	dial func(ctx context.Context, network, addr string) (net.Conn, error)
	head int64 // how long an answer's head may be
	kept kept
}

// Register has a transport send its small requests over plain HTTP this way, with the
// transport's own DialContext, which must be set, IdleConnTimeout, MaxIdleConnsPerHost
// and MaxResponseHeaderBytes. Its other limits and traces of httptrace do not count for
// them. It is to be called once, before the transport is used.
func Register(t *http.Transport) {
	if !canLook {
		return // a connection that nobody can look at cannot be kept
	}
	h := &transport{dial: t.DialContext, head: t.MaxResponseHeaderBytes, kept: kept{most: t.MaxIdleConnsPerHost, wait: t.IdleConnTimeout}}
	if h.head <= 0 {
		h.head = maxHead
	}
	if h.kept.most == 0 {
		h.kept.most = http.DefaultMaxIdleConnsPerHost
	}
	t.RegisterProtocol("http", h)
}

// RoundTrip sends a request whose headers http.Transport has checked. The request's
// context ends it, and the answer's body as well, by closing the connection.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if !isSmall(req) {
		return nil, http.ErrSkipAltProtocol
	}
	ctx, addr := req.Context(), address(req.URL)
	if ctx.Err() != nil {
		closeBody(req)
		return nil, context.Cause(ctx)
	}
	c := t.kept.take(addr)
	for {
		reused := c != nil
		if !reused {
			nc, err := t.dial(ctx, "tcp", addr)
			if err != nil {
				closeBody(req)
				return nil, causeOr(ctx, err)
			}
			c = newConn(nc, addr, &t.kept)
		}
		resp, err := c.exchange(req, t.head)
		if err == nil {
			return resp, nil
		}
		// The other side may have closed a kept connection just now. A fresh one has no
		// such excuse, so a request is sent twice at most.
		if !reused || ctx.Err() != nil || !c.mayRepeat(req) {
			return nil, causeOr(ctx, err)
		}
		if req, err = rewound(req); err != nil {
			return nil, err
		}
		c = nil
	}
}

// isSmall reports whether a request may go this way: what is unusual about one, or wrong,
// is http.Transport's.
func isSmall(r *http.Request) bool {
	// As agents' addresses and all usual methods are.
	if !isWithin(r.URL.Host, '!', '~') || !isWithin(r.Method, 'A', 'Z') || r.Method == http.MethodConnect {
		return false
	}
	if r.Close || len(r.TransferEncoding) > 0 || len(r.Trailer) > 0 {
		return false
	}
	for _, name := range []string{"Connection", "Expect", "Upgrade"} {
		if _, there := r.Header[name]; there {
			return false
		}
	}
	return !hasBody(r) || r.GetBody != nil && 0 < r.ContentLength && r.ContentLength <= maxBody
}

func hasBody(r *http.Request) bool { return r.Body != nil && r.Body != http.NoBody }

// isReplayable reports whether doing a request twice does it once, as net/http sees it.
func isReplayable(r *http.Request) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	_, keyed := r.Header["Idempotency-Key"]
	return keyed
}

// isWithin reports whether a text has bytes of a range, and no others.
func isWithin(s string, low, high byte) bool {
	for i := range len(s) {
		if s[i] < low || s[i] > high {
			return false
		}
	}
	return s != ""
}

// address is where a URL's host listens.
func address(u *url.URL) string {
	if u.Port() != "" {
		return u.Host
	}
	return net.JoinHostPort(u.Hostname(), "80")
}

// causeOr returns why a request was ended from this side, and err where it was not.
func causeOr(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
}

// rewound returns a request to be sent once more.
func rewound(req *http.Request) (*http.Request, error) {
	if !hasBody(req) {
		return req, nil
	}
	again := *req
	var err error
	again.Body, err = req.GetBody()
	return &again, err
}

// exchange sends a request and reads the head of its answer. Where that fails, the
// connection is closed.
func (c *conn) exchange(req *http.Request, head int64) (*http.Response, error) {
	stop := context.AfterFunc(req.Context(), c.end)
	resp, err := c.ask(req, head)
	if err != nil {
		stop()
		c.end()
		return nil, err
	}
	b := &body{conn: c, ctx: req.Context(), from: resp.Body, stop: stop, keep: !resp.Close}
	if resp.Body == http.NoBody {
		b.finish(true)
		return resp, nil
	}
	resp.Body = b
	return resp, nil
}

// ask writes a request and reads the head of its answer.
func (c *conn) ask(req *http.Request, head int64) (*http.Response, error) {
	c.wrote, c.got, c.room = 0, 0, head
	if err := req.Write(c.out); err != nil {
		return nil, err
	}
	if err := c.out.Flush(); err != nil {
		return nil, err
	}
	for {
		resp, err := http.ReadResponse(c.in, req)
		switch {
		case err != nil:
			return nil, err
		case resp.StatusCode >= http.StatusOK:
			c.room = math.MaxInt64
			return resp, nil
		case resp.StatusCode == http.StatusSwitchingProtocols, resp.StatusCode < http.StatusContinue:
			return nil, fmt.Errorf("an answer of status %d, which nothing asked for", resp.StatusCode)
		}
	}
}

// mayRepeat reports whether a request that failed on a kept connection can be sent
// again: it did not leave, or nothing of an answer came and doing it twice does it once.
// The rule is http.Transport's.
func (c *conn) mayRepeat(req *http.Request) bool {
	return c.wrote == 0 || c.got == 0 && isReplayable(req)
}

var _ http.RoundTripper = (*transport)(nil)
