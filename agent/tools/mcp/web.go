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
func newClient(e Entry, private map[string]bool, g *grants) (*http.Client, error) {
	own, err := serverURL(e.URL, private)
	if err != nil {
		return nil, err
	}
	return &http.Client{Transport: &headed{next: guarded(private), own: own, headers: e.Headers, grants: g}, CheckRedirect: judgeRedirect(private)}, nil
}

func guarded(private map[string]bool) http.RoundTripper {
	t := outbound.Transport(outbound.Config{Private: slices.Collect(maps.Keys(private))})
	t.MaxIdleConnsPerHost = 4
	return t
}

func judgeRedirect(private map[string]bool) func(*http.Request, []*http.Request) error {
	return func(r *http.Request, via []*http.Request) error {
		if len(via) > maxRedirects {
			return &reached{what: fmt.Sprintf("it redirects more than %d times", maxRedirects)}
		}
		if _, err := serverURL(r.URL.String(), private); err != nil {
			return &reached{what: "it redirects to an address that is not reached"}
		}
		return nil
	}
}

// headed sends a server's headers and its token to its own host only, and bounds what
// is read.
type headed struct {
	next    http.RoundTripper
	own     *url.URL
	headers map[string]string
	grants  *grants                 // nil: the server has a token in its headers
	proxied bool                    // next leads to an egress proxy, which judges what the server answers
	tooMuch atomic.Bool             // was sent, by whom the connection ended
	refused atomic.Pointer[reached] // why the last request was, if it was: the SDK goes on with another one
}

// RoundTrip sends one request, and once more with a renewed token.
func (h *headed) RoundTrip(r *http.Request) (*http.Response, error) {
	own := r.URL.Scheme == h.own.Scheme && outbound.HostPort(r.URL) == outbound.HostPort(h.own)
	token := ""
	if own && h.grants != nil {
		var err error
		if token, err = h.grants.token(r.Context()); err != nil {
			return nil, err
		}
	}
	answer, err := h.send(r, own, token)
	if err == nil && answer.StatusCode == http.StatusUnauthorized && token != "" && (r.Body == nil || r.GetBody != nil) {
		next, renewErr := h.grants.renewed(r.Context(), token)
		if renewErr != nil {
			_ = answer.Body.Close() // only read from
			return nil, renewErr
		}
		if next != "" {
			_ = answer.Body.Close() // only read from
			again := r.Clone(r.Context())
			if r.GetBody != nil {
				if again.Body, err = r.GetBody(); err != nil {
					return nil, err
				}
			}
			answer, err = h.send(again, own, next)
		}
	}
	if err != nil {
		return nil, unreachable(err)
	}
	refused := h.refusal(answer, own, token)
	if refused != nil {
		h.refused.Store(refused)
		_ = answer.Body.Close() // only read from
		return nil, refused
	}
	if answer.StatusCode/100 == 2 {
		h.refused.Store(nil)
	}
	answer.Body = &boundedBody{ReadCloser: answer.Body, room: maxRead, tooMuch: &h.tooMuch}
	return answer, nil
}

// send sends a request with what its host may see.
func (h *headed) send(r *http.Request, own bool, token string) (*http.Response, error) {
	r = r.Clone(r.Context())
	if !own {
		for _, name := range []string{"Authorization", "Cookie", "Mcp-Session-Id"} {
			r.Header.Del(name)
		}
		return h.next.RoundTrip(r)
	}
	for name, value := range h.headers {
		r.Header.Set(name, value)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return h.next.RoundTrip(r)
}

// refusal is what an answer means that refuses who asks; nil for any other.
func (h *headed) refusal(answer *http.Response, own bool, token string) *reached {
	if h.proxied {
		return proxyRefusal(answer)
	}
	status := answer.StatusCode
	switch {
	case status != http.StatusUnauthorized && status != http.StatusForbidden:
		return nil
	case !own || h.grants == nil, status == http.StatusForbidden && token == "":
		return &reached{what: fmt.Sprintf("it refuses the credentials that it is sent (status %d)", status)}
	}
	h.grants.refused(status, answer.Header)
	switch {
	case token == "":
		return &reached{what: wants[answeredWanted], authorize: true}
	case status == http.StatusUnauthorized:
		return &reached{what: wants[answeredEnded], authorize: true}
	}
	return &reached{what: wants[answeredLess], authorize: true}
}

// unreachable says why a server was not reached, without what its address resolves to.
func unreachable(err error) error {
	var ours *reached
	var name *net.DNSError
	switch {
	case errors.As(err, &ours), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, outbound.ErrNotPublic):
		return &reached{what: "its host has an address that is not public; list its host and port in MCP_PRIVATE_HOSTS if that is meant"}
	case errors.As(err, &name):
		return &reached{what: "its host is not found"}
	case errors.Is(err, syscall.ECONNREFUSED):
		return &reached{what: "nothing listens at its address"}
	}
	return &reached{what: "it cannot be reached, or its certificate does not hold"}
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
		return 0, &reached{what: errRead.Error()}
	}
	return n, err
}
