package mcp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/oauthex"
	"golang.org/x/oauth2"

	"github.com/loongclaw/loongclaw/agent/tools"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
	"github.com/loongclaw/loongclaw/pkg/plain"
)

const (
	// flowTime is how long a person may take to come back from an authorization server.
	flowTime = 10 * time.Minute
	// settings bounds what an authorization server says of itself, in bytes.
	settings = 1 << 20
)

// Applicant is how the agent is known to authorization servers.
type Applicant struct {
	Callback string // where they send a person back to
	ClientID string // the address of the document that says who asks; empty: there is none
}

// ApplicantAt is the agent behind the gateway that people reach at an address.
func ApplicantAt(public string) Applicant {
	if public == "" {
		return Applicant{}
	}
	a := Applicant{Callback: public + chat.PathServerReturn}
	// The document is of use where an authorization server can read it.
	if u, err := url.Parse(public); err == nil && u.Scheme == "https" && tools.CheckPublicHost(u.Hostname()) == nil {
		a.ClientID = public + chat.PathServersClient
	}
	return a
}

// flow is one authorization that a person has begun: they are at the authorization
// server, and come back with a code.
type flow struct {
	user   string
	server *server
	state  string // that only who comes back from there knows
	cancel context.CancelFunc
	leave  chan string // where the person is sent
	back   chan *auth.AuthorizationResult
	ended  chan struct{}
	err    error // set before ended is closed
}

// grants are those of a server that may be given one: who sets a token up, in the
// headers, needs no other.
func (s *Source) grants(name string, full Entry, prefix string) *grants {
	for header := range full.Headers {
		if http.CanonicalHeaderKey(header) == "Authorization" {
			return nil
		}
	}
	return &grants{bucket: s.Bucket, key: grantKey(prefix, name), identity: full.identity(), client: s.oauthClient(), log: s.env.log, now: s.env.now}
}

// oauthClient reaches authorization servers. Their addresses are the server's to
// choose, so each is judged as a server's own is, before it is asked.
func (s *Source) oauthClient() *http.Client {
	return &http.Client{Transport: &judged{guarded(s.Private), s.Private}, CheckRedirect: judgeRedirect(s.Private), Timeout: connectTime}
}

type judged struct {
	next    http.RoundTripper
	private map[string]bool
}

// RoundTrip sends a request to an address that may be reached.
func (j *judged) RoundTrip(r *http.Request) (*http.Response, error) {
	if _, err := serverURL(r.URL.String(), j.private); err != nil {
		return nil, &reached{what: "its authorization server has an address that is not reached"}
	}
	answer, err := j.next.RoundTrip(r)
	if err != nil {
		return nil, unreachable(err)
	}
	answer.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(answer.Body, settings), answer.Body}
	return answer, nil
}

// Authorize begins an authorization and returns the address at which a person gives
// it. That of an instance's server counts for all, so an administrator gives it.
func (s *Source) Authorize(ctx context.Context, user string, admin bool, name string, as Applicant) (string, error) {
	one, err := s.find(ctx, user, name)
	if err != nil {
		return "", err
	}
	switch {
	case one.scope == ScopeInstance && !admin:
		return "", fault.New(fault.CodeForbidden, "this server is the instance's; authorizing it needs the scope admin", "ask the owner")
	case one.grants == nil || one.fixed:
		return "", fault.New(fault.CodeConflict, "this server takes no authorization: it is a program, has a token in its headers, or cannot be reached", "GET /api/mcp says how it is")
	case as.Callback == "":
		return "", fault.New(fault.CodeUnavailable, "nobody can be sent back here: the gateway does not know its own address", "have the owner set PUBLIC_URL for the gateway, to the address under which people reach it")
	}
	if one.grants.challenge() == nil {
		lookAt, cancel := context.WithTimeout(ctx, lookTime)
		err := one.look(lookAt)
		cancel()
		if err == nil && one.grants.scopes() == nil {
			return "", fault.New(fault.CodeConflict, "this server wants no authorization", "use its tools as they are")
		}
	}
	f, err := s.begin(user, one, as)
	if err != nil {
		return "", err
	}
	select {
	case address := <-f.leave:
		return address, nil
	case <-f.ended:
		return "", unauthorized(f.err)
	case <-ctx.Done():
		f.cancel()
		return "", ctx.Err()
	}
}

// begin starts a flow. One that was begun before for the same server ends.
func (s *Source) begin(user string, one *server, as Applicant) (*flow, error) {
	ctx, cancel := context.WithTimeout(s.env.root, flowTime)
	f := &flow{user: user, server: one, cancel: cancel, leave: make(chan string, 1), back: make(chan *auth.AuthorizationResult, 1), ended: make(chan struct{})}
	handler, err := auth.NewAuthorizationCodeHandler(s.handler(f, as))
	if err != nil {
		cancel()
		return nil, fault.Wrap(err, fault.CodeInternal, "the authorization cannot be begun", "check PUBLIC_URL")
	}
	s.mu.Lock()
	for old := range s.flows {
		if old.server == one && old.user == user {
			old.cancel()
		}
	}
	s.flows[f] = true
	s.mu.Unlock()
	s.env.running.Go(func() {
		defer cancel()
		f.err = f.run(ctx, handler)
		s.mu.Lock()
		delete(s.flows, f)
		s.mu.Unlock()
		close(f.ended)
	})
	return f, nil
}

// run takes the flow from the server's refusal to a grant.
func (f *flow) run(ctx context.Context, handler *auth.AuthorizationCodeHandler) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, f.server.dial.entry.URL, nil)
	if err != nil {
		return err
	}
	answer := &http.Response{StatusCode: http.StatusUnauthorized, Header: http.Header{}, Body: http.NoBody}
	if why := f.server.grants.challenge(); why != nil {
		answer.StatusCode, answer.Header = why.status, why.header
	}
	return handler.Authorize(ctx, request, answer)
}

// handler says how a flow is gone through.
func (s *Source) handler(f *flow, as Applicant) *auth.AuthorizationCodeHandlerConfig {
	g := f.server.grants
	out := &auth.AuthorizationCodeHandlerConfig{
		RedirectURL: as.Callback, RequestRefreshToken: true, Client: g.client,
		DynamicClientRegistrationConfig: &auth.DynamicClientRegistrationConfig{Metadata: &oauthex.ClientRegistrationMetadata{
			ClientName: "LoongClaw", RedirectURIs: []string{as.Callback},
			GrantTypes: []string{"authorization_code", "refresh_token"}, ResponseTypes: []string{"code"},
		}},
		AuthorizationCodeFetcher: func(ctx context.Context, args *auth.AuthorizationArgs) (*auth.AuthorizationResult, error) {
			return s.away(ctx, f, args.URL)
		},
		NewTokenSource: func(ctx context.Context, c *oauth2.Config, t *oauth2.Token) (oauth2.TokenSource, error) {
			granted := Grant{Client: c.ClientID, Secret: c.ClientSecret, TokenURL: c.Endpoint.TokenURL, Style: c.Endpoint.AuthStyle, Scopes: slices.Clip(c.Scopes)}
			if granted.Scopes == nil {
				granted.Scopes = []string{}
			}
			granted.take(t)
			g.set(ctx, granted)
			return oauth2.StaticTokenSource(t), nil
		},
	}
	if as.ClientID != "" {
		out.ClientIDMetadataDocumentConfig = &auth.ClientIDMetadataDocumentConfig{URL: as.ClientID}
	}
	if id := f.server.dial.entry.OAuth; id != nil {
		out.PreregisteredClient = &oauthex.ClientCredentials{ClientID: id.ClientID}
		if id.ClientSecret != "" {
			out.PreregisteredClient.ClientSecretAuth = &oauthex.ClientSecretAuth{ClientSecret: id.ClientSecret}
		}
	}
	if why := g.challenge(); why != nil && why.status == http.StatusForbidden {
		// What was granted already is asked for again, beside what lacks.
		out.ScopeFilter = func(wanted []string) []string {
			all := slices.Concat(g.scopes(), wanted)
			slices.Sort(all)
			return slices.Compact(all)
		}
	}
	return out
}

// away sends the person to the authorization server and waits until they are back.
func (s *Source) away(ctx context.Context, f *flow, address string) (*auth.AuthorizationResult, error) {
	at, err := serverURL(address, s.Private)
	if err != nil {
		return nil, &reached{what: "its authorization server sends people to an address that is not reached"}
	}
	s.mu.Lock()
	f.state = at.Query().Get("state")
	s.mu.Unlock()
	f.leave <- address
	select {
	case result := <-f.back:
		return result, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Authorized takes a person back who was at an authorization server, and returns the
// name of the server that the agent may use now, or may not where there is an error.
// Whoever began the authorization ends it: a link that somebody else has begun gives
// them nothing.
func (s *Source) Authorized(ctx context.Context, user string, query url.Values) (string, error) {
	if s.Egress != nil {
		return s.told(ctx, user, query.Get("server"))
	}
	f := s.returning(user, query.Get("state"))
	if f == nil {
		return "", fault.New(fault.CodeNotFound, "this authorization was not begun here by you, was ended, or is too old", "begin again with GET /api/mcp/{name}/authorize")
	}
	if said := query.Get("error"); said != "" {
		f.cancel()
		return f.server.name, fault.New(fault.CodeForbidden, "the authorization server says no: "+plain.Line(clip(said, 100)), "begin again with GET /api/mcp/"+f.server.name+"/authorize if that was not meant")
	}
	f.back <- &auth.AuthorizationResult{Code: query.Get("code"), State: query.Get("state"), Iss: query.Get("iss")}
	select {
	case <-f.ended:
	case <-ctx.Done():
		return "", ctx.Err()
	}
	if f.err != nil {
		return f.server.name, unauthorized(f.err)
	}
	if f.server.scope == ScopeInstance {
		s.of(user) // who authorizes is told, too
	}
	f.server.tell(ctx, event{eventAuthorized, f.server.name, ""})
	f.server.again()
	return f.server.name, nil
}

// returning finds the flow of who comes back, once.
func (s *Source) returning(user, state string) *flow {
	s.mu.Lock()
	defer s.mu.Unlock()
	for f := range s.flows {
		if state != "" && f.state == state && f.user == user {
			f.state = ""
			return f
		}
	}
	return nil
}

// unauthorized says why an authorization came to nothing. What an authorization
// server sends may hold secrets, so of its words only the code of the error is said.
func unauthorized(err error) error {
	var ours *reached
	var refused *oauth2.RetrieveError
	what := "the answer of the authorization server is not what was asked for: " + plain.Line(clip(err.Error(), maxSaid))
	switch {
	case errors.As(err, &ours):
		what = ours.what
	case errors.As(err, &refused):
		what = fmt.Sprintf("its authorization server gives no token (%s)", plain.Line(clip(refused.ErrorCode, 60)))
	case errors.Is(err, context.Canceled):
		what = "it was begun again, or ended"
	case errors.Is(err, context.DeadlineExceeded):
		what = "it took too long"
	}
	return fault.New(fault.CodeUnavailable, "the server was not authorized: "+what, "begin again; if it stays so, tell whoever runs the server")
}
