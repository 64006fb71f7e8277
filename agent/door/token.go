package door

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/loongclaw/loongclaw/pkg/fault"
)

// Header carries the token to a door.
const Header = "X-LoongClaw-Door"

// Path is where the object that keeps the container brings the token.
const Path = "/door"

const (
	// patience is how long a start waits for its token.
	patience = 60 * time.Second
	// maxBody bounds what brings it.
	maxBody = 4 << 10
	// minToken is the shortest token that can be meant.
	minToken = 16
)

// Token is the token of this start. The zero value has none and marks nothing.
type Token struct {
	hosts map[string]bool

	mu    sync.Mutex
	value string
	come  chan struct{}
}

// Wanted makes a token that is still to come. It is shown to the hosts of these
// URLs and to nobody else.
func Wanted(urls ...string) *Token {
	t := &Token{hosts: map[string]bool{}, come: make(chan struct{})}
	for _, text := range urls {
		if u, err := url.Parse(text); err == nil && u.Host != "" {
			t.hosts[u.Host] = true
		}
	}
	return t
}

// Wait waits until the token has come.
func (t *Token) Wait(ctx context.Context) error {
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case <-t.come:
		return nil
	case <-late.C:
		return fmt.Errorf("nobody brought the door token within %v\nNext: this agent was started with DOOR_TOKEN_WAIT=true, as an Agent object on Cloudflare does; elsewhere leave that variable out", patience)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ServeHTTP takes the token, once: who is first is whoever started the agent.
func (t *Token) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := t.take(w, r); err != nil {
		f := fault.From(err)
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.WriteHeader(f.Status())
		_ = json.NewEncoder(w).Encode(f)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (t *Token) take(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodPost {
		return fault.New(fault.CodeMethod, "the door token is brought with POST", "")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return fault.New(fault.CodeTooLarge, "that is too long for a door token", "")
	}
	var in struct {
		Token string `json:"token"`
	}
	// The cause stays out: it could repeat what was sent.
	if err != nil || json.Unmarshal(body, &in) != nil || len(in.Token) < minToken || !printable(in.Token) {
		return fault.New(fault.CodeInvalidRequest, "that is no door token", `send {"token":"…"} with at least 16 plain characters`)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.value != "" {
		return fault.New(fault.CodeConflict, "the door token has come already", "start the agent again for a new one")
	}
	t.value = in.Token
	close(t.come)
	return nil
}

func printable(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// Mark puts the token on a request to a door.
func (t *Token) Mark(r *http.Request) {
	if t == nil || !t.hosts[r.URL.Host] {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.value != "" {
		r.Header.Set(Header, t.value)
	}
}

// Transport marks what goes to a door.
func (t *Token) Transport(base http.RoundTripper) http.RoundTripper {
	return marking{t, base}
}

type marking struct {
	token *Token
	base  http.RoundTripper
}

// RoundTrip leaves the caller's request as it is, as RoundTrippers must.
func (m marking) RoundTrip(r *http.Request) (*http.Response, error) {
	if m.token.hosts[r.URL.Host] {
		r = r.Clone(r.Context())
		m.token.Mark(r)
	}
	return m.base.RoundTrip(r)
}

var (
	_ http.RoundTripper = marking{}
	_ http.Handler      = (*Token)(nil)
)
