package mcp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/loongclaw/loongclaw/agent/outbound"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// Egress is the way to servers over HTTP where an egress proxy holds their secrets. It
// knows the address of each, adds headers and tokens, and follows redirects: here
// nothing of that is known, and a server is asked by its name.
type Egress struct {
	URL  string              // of the proxy's part to servers of tools
	Mark func(*http.Request) // puts on a request what the proxy asks for
}

const (
	// headerAnswered stands on what a server answered, and not on what the proxy says itself.
	headerAnswered = "X-LoongClaw-Server"
	// headerIdentity says which server is meant by a name.
	headerIdentity = "X-LoongClaw-Server-Id"
	// headerAuthorize stands on a refusal of the proxy's that an authorization would mend.
	headerAuthorize = "X-LoongClaw-Authorize"
)

// What the proxy says of the credentials that it showed a server.
const (
	answeredRefused = "refused"
	answeredWanted  = "wanted"
	answeredEnded   = "ended"
	answeredLess    = "less"
)

// maxInstance bounds the list of the instance's servers, in bytes.
const maxInstance = 1 << 20

// Instance asks for the instance's servers, as far as they are no secret, and for what is
// wrong with each. A configuration that cannot be read is told as unread: it is the
// owner's to mend, and no reason not to serve.
func (e *Egress) Instance(ctx context.Context) (servers map[string]Entry, faults map[string]string, unread string, err error) {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, e.URL+"/servers", nil)
	if err != nil {
		return nil, nil, "", err
	}
	answer, err := outbound.Unfollowing(outbound.Egress(e.Mark)).Do(r)
	if err != nil {
		return nil, nil, "", fmt.Errorf("the egress proxy does not tell the instance's MCP servers: %w", err)
	}
	defer func() { _ = answer.Body.Close() }() // only read from
	body, err := outbound.Read(answer.Body, maxInstance)
	var told struct {
		Servers map[string]struct {
			Entry
			Fault string `json:"fault"`
		} `json:"servers"`
		Fault string `json:"fault"`
	}
	if err == nil && answer.StatusCode == http.StatusOK {
		err = json.Unmarshal(body, &told)
	}
	if err != nil || answer.StatusCode != http.StatusOK {
		return nil, nil, "", fmt.Errorf("the egress proxy does not tell the instance's MCP servers: status %d, %w", answer.StatusCode, errors.Join(err, proxyFault(body)))
	}
	servers, faults = map[string]Entry{}, map[string]string{}
	for name, one := range told.Servers {
		if CheckName(name) != nil {
			continue // it would have been a fault of all
		}
		servers[name] = Entry{URL: one.URL, Command: one.Command, Allow: one.Allow}
		if one.Fault != "" {
			faults[name] = one.Fault
		}
	}
	return servers, faults, told.Fault, nil
}

// proxyFault is what a proxy said itself.
func proxyFault(body []byte) error {
	var said struct {
		Error string `json:"error"`
	}
	if json.Unmarshal(body, &said) != nil || said.Error == "" {
		return nil
	}
	return errors.New(clip(said.Error, maxSaid))
}

// client makes the client of one server. prefix is that of its user's part of the store;
// empty for the instance's.
func (e *Egress) client(name string, full Entry, prefix string) (*http.Client, error) {
	own, err := url.Parse(full.URL)
	if err != nil {
		return nil, err
	}
	if prefix == "" {
		prefix = "config/"
	}
	at, err := url.Parse(e.URL + "/servers/" + prefix + name)
	if err != nil {
		return nil, err
	}
	through := &proxied{at: at, url: full.URL, identity: full.identity(), mark: e.Mark, next: proxyTransport}
	return &http.Client{
		Transport:     &headed{next: through, own: own, proxied: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // the proxy follows them
	}, nil
}

// proxyTransport reaches egress proxies: a server may take as long for the head of its
// answer as a call may.
var proxyTransport = func() http.RoundTripper {
	t := outbound.Transport(outbound.Config{})
	t.DialContext = nil // the proxy stands in the container's own network
	t.MaxIdleConnsPerHost = 16
	return t
}()

// proxied sends a server's requests to the egress proxy.
type proxied struct {
	at       *url.URL // of the server, at the proxy
	url      string   // the server's own
	identity string
	mark     func(*http.Request)
	next     http.RoundTripper
}

// RoundTrip sends one request for the server.
func (p *proxied) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.String() != normal(p.url) {
		return nil, &reached{what: "it leads to an address that is not its own"}
	}
	r = r.Clone(r.Context())
	at := *p.at
	r.URL, r.Host = &at, ""
	r.Header.Set(headerIdentity, p.identity)
	if p.mark != nil {
		p.mark(r)
	}
	return p.next.RoundTrip(r)
}

// normal is an address as it is after it was read.
func normal(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return text
	}
	return u.String()
}

// proxyRefusal is what an answer through the proxy means that refuses who asks; nil for
// any other.
func proxyRefusal(answer *http.Response) *reached {
	judged := answer.Header.Get(headerAnswered)
	switch judged {
	case "":
		body, err := outbound.Read(io.LimitReader(answer.Body, settings), settings)
		what := errors.Join(err, proxyFault(body))
		if what == nil {
			what = fmt.Errorf("the egress proxy refuses it (status %d)", answer.StatusCode)
		}
		return &reached{what: what.Error(), authorize: answer.Header.Get(headerAuthorize) != ""}
	case answeredRefused:
		return &reached{what: fmt.Sprintf("it refuses the credentials that it is sent (status %d)", answer.StatusCode)}
	case answeredWanted, answeredEnded, answeredLess:
		return &reached{what: wants[judged], authorize: true}
	}
	return nil
}

// wants says what a server lacks of an authorization.
var wants = map[string]string{
	answeredWanted: "it wants an authorization",
	answeredEnded:  "its authorization does not count any more",
	answeredLess:   "its authorization is for less than this needs",
}

// told notes an authorization that was given at the egress proxy, whose gateway has led
// the person here: the server is looked at anew.
func (s *Source) told(ctx context.Context, user, name string) (string, error) {
	one, err := s.find(ctx, user, name)
	if err != nil {
		return "", err
	}
	if one.fixed {
		return "", fault.New(fault.CodeConflict, "this server cannot be reached", "GET /api/mcp says how it is")
	}
	if one.scope == ScopeInstance {
		s.of(user) // who authorizes is told, too
	}
	one.tell(ctx, event{eventAuthorized, name, ""})
	one.again()
	return name, nil
}

var _ http.RoundTripper = (*proxied)(nil)
