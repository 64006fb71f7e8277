package mcp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync/atomic"
	"syscall"

	"github.com/loongclaw/loongclaw/agent/outbound"
)

// maxRedirects is how often a server may send a request elsewhere.
const maxRedirects = 5

// newClient makes the client of one server. It reaches public addresses, and what
// the owner has listed; it looks at each address when it is dialled, so that a name
// cannot change its meaning between the look and the use.
func newClient(e Entry, private map[string]bool) (*http.Client, error) {
	own, err := serverURL(e.URL, private)
	if err != nil {
		return nil, err
	}
	transport := outbound.Transport(outbound.Config{Private: slices.Collect(maps.Keys(private))})
	transport.MaxIdleConnsPerHost = 4
	return &http.Client{
		Transport: &headed{next: transport, own: own, headers: e.Headers},
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if len(via) > maxRedirects {
				return &reached{fmt.Sprintf("it redirects more than %d times", maxRedirects)}
			}
			if _, err := serverURL(r.URL.String(), private); err != nil {
				return &reached{"it redirects to an address that is not reached"}
			}
			return nil
		},
	}, nil
}

// headed sends a server's headers to its own host only, and bounds what is read.
type headed struct {
	next    http.RoundTripper
	own     *url.URL
	headers map[string]string
	tooMuch atomic.Bool // was sent, by whom the connection ended
}

// RoundTrip sends one request.
func (h *headed) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	if r.URL.Scheme == h.own.Scheme && outbound.HostPort(r.URL) == outbound.HostPort(h.own) {
		for name, value := range h.headers {
			r.Header.Set(name, value)
		}
	} else {
		for _, name := range []string{"Authorization", "Cookie", "Mcp-Session-Id"} {
			r.Header.Del(name)
		}
	}
	answer, err := h.next.RoundTrip(r)
	if err != nil {
		return nil, unreachable(err)
	}
	switch answer.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		_ = answer.Body.Close() // only read from
		return nil, &reached{fmt.Sprintf("it refuses the credentials that it is sent (status %d)", answer.StatusCode)}
	}
	answer.Body = &boundedBody{ReadCloser: answer.Body, room: maxRead, tooMuch: &h.tooMuch}
	return answer, nil
}

// unreachable says why a server was not reached, without what its address resolves to.
func unreachable(err error) error {
	var ours *reached
	var name *net.DNSError
	switch {
	case errors.As(err, &ours), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, outbound.ErrNotPublic):
		return &reached{"its host has an address that is not public; list its host and port in MCP_PRIVATE_HOSTS if that is meant"}
	case errors.As(err, &name):
		return &reached{"its host is not found"}
	case errors.Is(err, syscall.ECONNREFUSED):
		return &reached{"nothing listens at its address"}
	}
	return &reached{"it cannot be reached, or its certificate does not hold"}
}

// boundedBody is a body of which more than its room is an error.
type boundedBody struct {
	io.ReadCloser
	room    int
	tooMuch *atomic.Bool
}

func (b *boundedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.room -= n; b.room < 0 {
		b.tooMuch.Store(true)
		return 0, &reached{errRead.Error()}
	}
	return n, err
}
