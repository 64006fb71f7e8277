package outbound

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

var (
	// ErrNotPublic is the cause when a host's address is not on the public internet.
	ErrNotPublic = errors.New("outbound: not a public address")
	// ErrTooLarge is returned for a body beyond its limit.
	ErrTooLarge = errors.New("outbound: the answer is too large")
)

// maxHeaders bounds the head of an answer.
const maxHeaders = 64 << 10

// Config is how the network is reached. The zero value reaches the real one, and
// of that only what is public.
type Config struct {
	// Private are HOST:PORT pairs that the owner named: they are reached although
	// their addresses are private.
	Private []string
	// Resolve and Dial reach the network; nil means the real ones. Dial is only given
	// addresses that passed the check.
	Resolve func(ctx context.Context, host string) ([]netip.Addr, error)
	Dial    func(ctx context.Context, network, address string) (net.Conn, error)
}

// New returns a client that checks each address when it dials it. It gives a
// redirect back as the answer that it is: whoever asked judges where it leads.
func New(c Config) *http.Client {
	t := Transport(c)
	t.DisableKeepAlives = true // each request is checked anew
	return Unfollowing(t)
}

// Transport is what New's client sends with. Its connections stay open for more
// requests to the address that was checked.
func Transport(c Config) *http.Transport {
	g := guard{Config: c, private: map[string]bool{}}
	for _, p := range c.Private {
		g.private[strings.ToLower(p)] = true
	}
	if g.Resolve == nil {
		g.Resolve = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	if g.Dial == nil {
		g.Dial = (&net.Dialer{Timeout: 10 * time.Second}).DialContext
	}
	return &http.Transport{
		Proxy:                  nil, // a proxy would connect past the check
		DialContext:            g.dial,
		ForceAttemptHTTP2:      true,
		TLSHandshakeTimeout:    10 * time.Second,
		MaxResponseHeaderBytes: maxHeaders,
		IdleConnTimeout:        time.Minute,
	}
}

// egress reaches an egress proxy and nothing else: that stands in a network with
// nothing private in it, and looks at addresses itself.
var egress = &http.Transport{Proxy: nil, MaxResponseHeaderBytes: maxHeaders, ResponseHeaderTimeout: time.Minute}

// Egress returns the way to an egress proxy. Mark puts what that asks for on each
// request; nil puts nothing.
func Egress(mark func(*http.Request)) http.RoundTripper { return marking(mark) }

type marking func(*http.Request)

// RoundTrip leaves the caller's request as it is, as RoundTrippers must.
func (m marking) RoundTrip(r *http.Request) (*http.Response, error) {
	if m != nil {
		r = r.Clone(r.Context())
		m(r)
	}
	return egress.RoundTrip(r)
}

// Unfollowing returns a client that follows no redirect.
func Unfollowing(way http.RoundTripper) *http.Client {
	return &http.Client{
		Transport:     way,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// guard looks at addresses before they are dialled.
type guard struct {
	Config
	private map[string]bool
}

// dial connects to an address that was checked: the name is looked up once, and
// the connection goes to what was looked up, so that a second answer of the name
// server changes nothing.
func (g guard) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	addresses := []netip.Addr{}
	if a, err := netip.ParseAddr(host); err == nil {
		addresses = append(addresses, a)
	} else if addresses, err = g.Resolve(ctx, host); err != nil {
		return nil, err
	}
	named := g.private[strings.ToLower(net.JoinHostPort(host, port))]
	for _, a := range addresses {
		if !named && !Public(a) { // one that is not makes all of them suspect
			return nil, ErrNotPublic
		}
	}
	err = errors.New("the host has no address")
	for _, a := range addresses {
		var conn net.Conn
		if conn, err = g.Dial(ctx, network, net.JoinHostPort(a.Unmap().String(), port)); err == nil {
			return conn, nil
		}
	}
	return nil, err
}

// HostPort returns where a request for u is sent to, as Config.Private has it.
func HostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = "80"
		if u.Scheme == "https" {
			port = "443"
		}
	}
	return net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}

// Read reads a body of at most limit bytes, unpacked.
func Read(body io.Reader, limit int) ([]byte, error) {
	all, err := io.ReadAll(io.LimitReader(body, int64(limit)+1))
	if err == nil && len(all) > limit {
		return nil, ErrTooLarge
	}
	return all, err
}

var _ http.RoundTripper = marking(nil)
