package egress

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// Header carries a token: from here to an egress proxy, and from the object that keeps the
// container to here, on each request that it relays, that of the request's user.
const Header = "X-LoongClaw-Door"

// Path is where that object brings the tokens of a start.
const Path = "/door"

const (
	// patience is how long a start waits for its tokens.
	patience = 60 * time.Second
	// maxBody bounds what brings them: those of some thousand users.
	maxBody = 1 << 20
	// minToken is the shortest token that can be meant.
	minToken = 16
)

// Tokens are those of this start. An egress proxy opens to each only what is its user's.
type Tokens struct {
	hosts map[string]bool

	mu     sync.Mutex
	keeper string            // of whoever keeps this agent; empty where it brought none
	first  string            // opens what is everybody's: the configuration, the models, the web
	parts  map[string]string // those of users, by the segment that the keys of their objects have
	come   chan struct{}
}

// Expect makes tokens that are still to come. They are shown to the hosts of these
// URLs and to nobody else.
func Expect(urls ...string) *Tokens {
	t := &Tokens{hosts: map[string]bool{}, parts: map[string]string{}, come: make(chan struct{})}
	for _, text := range urls {
		if u, err := url.Parse(text); err == nil && u.Host != "" {
			t.hosts[u.Host] = true
		}
	}
	return t
}

// Wait waits until the first token has come.
func (t *Tokens) Wait(ctx context.Context) error {
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case <-t.come:
		return nil
	case <-late.C:
		return fmt.Errorf("nobody brought the egress token within %v\nNext: this agent was started with DOOR_TOKEN_WAIT=true, as an Agent object on Cloudflare does; elsewhere leave that variable out", patience)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Users are those whose tokens have come.
func (t *Tokens) Users() []string {
	if t == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	var users []string
	for part := range t.parts {
		if user, err := bucket.ParseSegment(part); err == nil { // it was made of one
			users = append(users, user)
		}
	}
	slices.Sort(users)
	return users
}

// Bring takes the token of a user who comes later than the start. Whoever calls it
// knows who the user is. The first one counts.
func (t *Tokens) Bring(user, token string) {
	if t == nil || !plausible(token) {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.add(user, token)
}

func (t *Tokens) add(user, token string) {
	if part := bucket.Segment(user); t.parts[part] == "" {
		t.parts[part] = token
	}
}

// Take takes the tokens of a start out of a request, once: who is first is whoever
// started the agent.
func (t *Tokens) Take(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodPost {
		return fault.New(fault.CodeMethod, "the egress token is brought with POST", "")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return fault.New(fault.CodeTooLarge, "that is too long for egress tokens", "")
	}
	var in struct {
		Token string            `json:"token"` // of whom the container is started for
		Users map[string]string `json:"users"` // of everybody of whom something may be left unfinished
		// Keeper is what the object that started this agent shows when it asks what
		// runs here. An older one brings none.
		Keeper string `json:"keeper"`
	}
	// The cause stays out: it could repeat what was sent.
	if err != nil || json.Unmarshal(body, &in) != nil || !plausible(in.Token) || in.Keeper != "" && !plausible(in.Keeper) || slices.ContainsFunc(slices.Collect(maps.Values(in.Users)), func(s string) bool { return !plausible(s) }) {
		return fault.New(fault.CodeInvalidRequest, "that is no egress token", `send {"token":"…","users":{"NAME":"…"}} with at least 16 plain characters in each`)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.first != "" {
		return fault.New(fault.CodeConflict, "the egress token has come already", "start the agent again for a new one")
	}
	t.first, t.keeper = in.Token, in.Keeper
	for user, token := range in.Users {
		t.add(user, token)
	}
	close(t.come)
	return nil
}

// Keeps reports whether a token is that of the object which keeps this agent. An
// object of an older release brings none and is believed: its question must not go
// unanswered, or it would end an agent at work.
func (t *Tokens) Keeps(token string) bool {
	if t == nil {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.keeper == "" {
		return t.first != ""
	}
	return subtle.ConstantTimeCompare([]byte(token), []byte(t.keeper)) == 1
}

// plausible reports whether a text can be a token, and can stand in a header.
func plausible(s string) bool {
	if len(s) < minToken {
		return false
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// Mark puts a token on a request to an egress proxy: that of the user whose part of the store
// it is about, else the first.
func (t *Tokens) Mark(r *http.Request) {
	if t == nil || !t.hosts[r.URL.Host] {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	token := t.parts[partOf(r.URL)]
	if token == "" {
		token = t.first
	}
	if token != "" {
		r.Header.Set(Header, token)
	}
}

// partOf is the user's segment in an S3 call: /BUCKET/u/SEGMENT/… or
// /BUCKET?prefix=u/SEGMENT/…
func partOf(u *url.URL) string {
	_, key, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	if key == "" {
		key = u.Query().Get("prefix")
	}
	rest, ok := strings.CutPrefix(key, "u/")
	if !ok {
		return ""
	}
	part, _, _ := strings.Cut(rest, "/")
	return part
}

// Transport marks what goes to an egress proxy.
func (t *Tokens) Transport(base http.RoundTripper) http.RoundTripper {
	return marking{t, base}
}

type marking struct {
	tokens *Tokens
	base   http.RoundTripper
}

// RoundTrip leaves the caller's request as it is, as RoundTrippers must.
func (m marking) RoundTrip(r *http.Request) (*http.Response, error) {
	if m.tokens.hosts[r.URL.Host] {
		r = r.Clone(r.Context())
		m.tokens.Mark(r)
	}
	return m.base.RoundTrip(r)
}

var _ http.RoundTripper = marking{}
