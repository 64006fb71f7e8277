package mcp

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"golang.org/x/oauth2"

	"github.com/loongclaw/loongclaw/agent/bucket"
)

// Grant is what an authorization server has given for a server of tools: tokens, and
// what they are renewed with. All of it is secret.
type Grant struct {
	Of       string           `json:"of"` // the server's identity, so that another one of its name gets no token
	Client   string           `json:"client"`
	Secret   string           `json:"secret,omitempty"`
	TokenURL string           `json:"tokenUrl"`
	Style    oauth2.AuthStyle `json:"style,omitempty"`
	Scopes   []string         `json:"scopes,omitempty"`
	Access   string           `json:"access"`
	Refresh  string           `json:"refresh,omitempty"`
	Expires  time.Time        `json:"expires,omitzero"`
}

const (
	// early is how long before its end a token is renewed.
	early = 30 * time.Second
	// renewTime is how long a renewal may take, with its writing. It does not end with
	// the request that it is for: a token that was renewed and not kept is lost.
	renewTime = 20 * time.Second
)

func (g *Grant) fresh(now time.Time) bool {
	return g.Expires.IsZero() || now.Add(early).Before(g.Expires)
}

func (g *Grant) take(t *oauth2.Token) {
	g.Access, g.Expires = t.AccessToken, t.Expiry
	if t.RefreshToken != "" { // a renewal that gives none leaves the one there is
		g.Refresh = t.RefreshToken
	}
}

// grants keeps the grant of one server, where no tool and no API reads.
type grants struct {
	bucket   bucket.Bucket
	key      string
	identity string
	client   *http.Client // reaches authorization servers
	log      *slog.Logger
	now      func() time.Time

	mu      sync.Mutex // held while a token is renewed: everybody waits for the one renewal
	have    *Grant
	read    time.Time
	unsaved bool
	why     *challenge // what the server said when it refused last
}

// challenge is how a server has refused a request for want of a right.
type challenge struct {
	status int
	header http.Header
}

func grantKey(prefix, server string) string {
	return prefix + "secrets/mcp-oauth/" + bucket.Segment(server)
}

// token returns what to show the server; empty where nothing was granted.
func (g *grants) token(ctx context.Context) (string, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.have == nil || g.unsaved {
		if err := g.syncLocked(ctx); err != nil {
			return "", err
		}
	}
	if g.have == nil {
		return "", nil
	}
	if g.have.fresh(g.now()) {
		return g.have.Access, nil
	}
	return g.renewLocked(ctx)
}

// renewed returns another token than the one that the server has refused; empty where
// there is none to be had.
func (g *grants) renewed(ctx context.Context, refused string) (string, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.have == nil {
		return "", nil
	}
	if g.have.Access != refused { // somebody was faster
		return g.have.Access, nil
	}
	got, err := g.renewLocked(ctx)
	if got == refused {
		return "", err
	}
	return got, err
}

// syncLocked writes what could not be written, or reads what there is.
func (g *grants) syncLocked(ctx context.Context) error {
	if g.unsaved {
		g.saveLocked(ctx)
		return nil
	}
	if now := g.now(); g.read.IsZero() || now.Sub(g.read) > reread {
		stored, err := g.stored(ctx)
		if err != nil {
			return &reached{what: "its authorization cannot be read from the store"}
		}
		g.have, g.read = stored, now
	}
	return nil
}

// stored reads what is kept; nil where there is none for this server.
func (g *grants) stored(ctx context.Context) (*Grant, error) {
	o, err := g.bucket.Get(ctx, g.key)
	if errors.Is(err, bucket.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out Grant
	if json.Unmarshal(o.Body, &out) != nil || out.Of != g.identity || out.Access == "" {
		return nil, nil // of a server that had this name before
	}
	return &out, nil
}

// saveLocked writes what there is. Where that fails the token counts in this process,
// and the next one who needs it tries again.
func (g *grants) saveLocked(ctx context.Context) {
	body, err := json.Marshal(g.have) // #nosec G117 -- this is where secrets are kept
	if err == nil {
		_, err = g.bucket.Put(ctx, g.key, body)
	}
	if g.unsaved = err != nil; g.unsaved {
		g.log.Warn("a renewed authorization of an MCP server is not in the store yet", slog.Any("error", err))
	}
}

// renewLocked renews the token. A refresh token may count once: when it is refused
// another agent may have used it, and what that got is in the store.
func (g *grants) renewLocked(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), renewTime)
	defer cancel()
	if g.adoptLocked(ctx) {
		return g.have.Access, nil
	}
	if g.have.Refresh == "" {
		return g.have.Access, nil // the server says whether it still counts
	}
	config := &oauth2.Config{
		ClientID: g.have.Client, ClientSecret: g.have.Secret,
		Endpoint: oauth2.Endpoint{TokenURL: g.have.TokenURL, AuthStyle: g.have.Style},
	}
	token, err := config.TokenSource(context.WithValue(ctx, oauth2.HTTPClient, g.client), &oauth2.Token{RefreshToken: g.have.Refresh}).Token()
	var refused *oauth2.RetrieveError
	switch {
	case err == nil:
		next := *g.have
		next.take(token)
		g.have = &next
		g.saveLocked(ctx)
		return next.Access, nil
	case errors.As(err, &refused) && refused.Response != nil && refused.Response.StatusCode/100 == 4:
		if g.adoptLocked(ctx) {
			return g.have.Access, nil
		}
		return "", &reached{what: "its authorization has ended", authorize: true}
	}
	return "", &reached{what: "its authorization server does not renew the authorization now"}
}

// adoptLocked takes what another agent has written meanwhile, where that still counts.
func (g *grants) adoptLocked(ctx context.Context) bool {
	stored, err := g.stored(ctx)
	if err != nil || stored == nil || stored.Access == g.have.Access || !stored.fresh(g.now()) {
		return false
	}
	g.have, g.unsaved = stored, false
	return true
}

// set takes what was granted now.
func (g *grants) set(ctx context.Context, granted Grant) {
	g.mu.Lock()
	defer g.mu.Unlock()
	granted.Of = g.identity
	g.have, g.why = &granted, nil
	g.saveLocked(ctx)
}

// scopes are those that were granted.
func (g *grants) scopes() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.have == nil {
		return nil
	}
	return g.have.Scopes
}

// refused notes how the server refused, for whoever asks for an authorization.
func (g *grants) refused(status int, header http.Header) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.why = &challenge{status, http.Header{"Www-Authenticate": header.Values("WWW-Authenticate")}}
}

func (g *grants) challenge() *challenge {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.why
}
