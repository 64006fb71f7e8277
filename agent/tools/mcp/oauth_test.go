package mcp_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/tools/mcp"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

const grantOfAlice = "u/alice/secrets/mcp-oauth/mine"

// owned opens a source in which alice has the guarded server.
func (g *guardian) owned(t *testing.T, log *slog.Logger) *rig {
	t.Helper()
	r := newRig(t)
	r.open(func(c *mcp.Config) { c.Private, c.Log = g.private(), log })
	if _, err := r.source.Put(t.Context(), "alice", "mine", mcp.Entry{URL: g.front.URL}); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAnAuthorizationIsGivenByWhoBeganIt(t *testing.T) {
	var said bytes.Buffer
	g := newGuardian(t)
	r := g.owned(t, slog.New(slog.NewTextHandler(&said, &slog.HandlerOptions{Level: slog.LevelDebug})))
	s := r.await(mcp.Failed)
	if !s.Authorize || !strings.Contains(s.Error, "GET /api/mcp/mine/authorize") {
		t.Errorf("at first: %+v", s)
	}
	back, err := r.leave("alice", "mine")
	if err != nil {
		t.Fatal(err)
	}
	for user, query := range map[string]url.Values{
		"bob":   back,
		"alice": {"code": {"the-code"}, "state": {"another"}},
		"":      {"code": {"the-code"}, "state": {""}},
	} {
		if _, err := r.source.Authorized(t.Context(), user, query); fault.CodeOf(err) != fault.CodeNotFound {
			t.Errorf("%q ended it: %v", user, err)
		}
	}
	if name, err := r.source.Authorized(t.Context(), "alice", back); err != nil || name != "mine" {
		t.Fatalf("%q, %v", name, err)
	}
	if _, err := r.source.Authorized(t.Context(), "alice", back); fault.CodeOf(err) != fault.CodeNotFound {
		t.Errorf("once more: %v", err)
	}
	r.approve()
	if out, err := r.call("mcp__mine__echo", `{"text":"hi"}`); out != "heard hi" || err != nil {
		t.Errorf("%q, %v", out, err)
	}
	list, err := r.source.List(t.Context(), "alice")
	if err != nil || list[0].Authorize {
		t.Errorf("%+v, %v", list, err)
	}
	shown, _ := json.Marshal([]any{list, r.log, said.String()})
	if strings.Contains(string(shown), "canary") || !strings.Contains(string(shown), `"authorized"`) {
		t.Errorf("a token is shown, or nothing is noted: %s", shown)
	}
	if o, err := r.store.Get(t.Context(), grantOfAlice); err != nil || !strings.Contains(string(o.Body), "canary-refresh-1") {
		t.Errorf("%s, %v", o.Body, err)
	}
	// A restart needs no person, and another server of the name gets no token.
	r.open(func(c *mcp.Config) { c.Private = g.private() })
	r.await(mcp.Ready)
	other := newGuardian(t)
	r.open(func(c *mcp.Config) {
		c.Private = other.private()
	})
	if _, err := r.source.Put(t.Context(), "alice", "mine", mcp.Entry{URL: other.front.URL}); err != nil {
		t.Fatal(err)
	}
	if s := r.await(mcp.Failed); !s.Authorize {
		t.Errorf("%+v", s)
	}
	if err := r.source.Remove(t.Context(), "alice", "mine"); err != nil {
		t.Fatal(err)
	}
	if o, err := r.store.Get(t.Context(), grantOfAlice); !bucketHasNot(err) {
		t.Errorf("what was granted is still there: %s, %v", o.Body, err)
	}
}

func bucketHasNot(err error) bool {
	return err != nil && strings.Contains(err.Error(), bucket.ErrNotFound.Error())
}

// People of other products log in every hour: tokens were not renewed, or what came
// of it was not kept.
func TestATokenIsRenewedAndKept(t *testing.T) {
	g := newGuardian(t)
	g.life = 20 * time.Second // renewed before every use
	r := g.owned(t, nil)
	r.await(mcp.Failed)
	r.authorize("alice", "mine")
	r.approve()
	for range 2 { // before and after a restart
		if out, err := r.call("mcp__mine__echo", `{"text":"hi"}`); out != "heard hi" || err != nil {
			t.Fatalf("%q, %v", out, err)
		}
		r.open(func(c *mcp.Config) { c.Private = g.private() })
		r.await(mcp.Ready)
	}
	g.mu.Lock()
	before := g.renewed
	g.life = time.Hour
	g.mu.Unlock()
	if before < 2 {
		t.Errorf("it was renewed %d times", before)
	}
	if _, err := r.call("mcp__mine__echo", `{"text":"hi"}`); err != nil { // the next token has an hour
		t.Fatal(err)
	}
	// The server takes its token back before its time.
	g.mu.Lock()
	g.access = nil
	g.mu.Unlock()
	if out, err := r.call("mcp__mine__echo", `{"text":"hi"}`); out != "heard hi" || err != nil {
		t.Errorf("after a token was taken back: %q, %v", out, err)
	}
	// Who waited for a renewal has gone: what came of it is kept all the same.
	ctx, cancel := context.WithCancel(t.Context())
	g.mu.Lock()
	g.access = nil
	g.onToken = cancel
	g.mu.Unlock()
	if _, err := r.box.Run(ctx, "mcp__mine__echo", json.RawMessage(`{"text":"hi"}`), toolEnv()); err == nil {
		t.Error("who has gone had an answer")
	}
	g.mu.Lock()
	g.onToken = nil
	g.mu.Unlock()
	if out, err := r.call("mcp__mine__echo", `{"text":"hi"}`); out != "heard hi" || err != nil {
		t.Errorf("after who waited has gone: %q, %v", out, err)
	}
	r.await(mcp.Ready)
	// It ends for good, and a person begins again where they are.
	g.mu.Lock()
	g.access, g.denies = nil, true
	g.mu.Unlock()
	if out, err := r.call("mcp__mine__echo", `{"text":"hi"}`); err == nil || !strings.Contains(err.Error(), "GET /api/mcp/mine/authorize") || strings.Contains(err.Error(), "canary") {
		t.Errorf("after its end: %q, %v", out, err)
	}
	r.authorize("alice", "mine")
	r.await(mcp.Ready)
	if out, err := r.call("mcp__mine__echo", `{"text":"hi"}`); out != "heard hi" || err != nil {
		t.Errorf("after a person was asked again: %q, %v", out, err)
	}
}

// Two agents have one store: a refresh token that the one has used is of no use to the
// other, which takes what came of it.
func TestTwoAgentsRenewOneToken(t *testing.T) {
	g := newGuardian(t)
	g.life = 31 * time.Second // counts for a second here
	r := g.owned(t, nil)
	r.await(mcp.Failed)
	r.authorize("alice", "mine")
	r.approve()
	other := &rig{t: t, store: r.store, dir: r.dir}
	other.open(func(c *mcp.Config) { c.Private = g.private() })
	other.await(mcp.Ready)
	g.mu.Lock()
	g.life = time.Hour
	g.mu.Unlock()
	time.Sleep(1500 * time.Millisecond)
	for range 2 {
		for _, one := range []*rig{r, other} {
			if out, err := one.call("mcp__mine__echo", `{"text":"hi"}`); out != "heard hi" || err != nil {
				t.Errorf("%q, %v", out, err)
			}
		}
	}
	other.source.Close()
}

// Every address of an authorization is the server's to choose.
func TestAnAuthorizationLeadsNowhereElse(t *testing.T) {
	var reached atomic.Int32
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	defer inside.Close()
	away := httptest.NewServer(http.RedirectHandler(inside.URL, http.StatusTemporaryRedirect))
	defer away.Close()
	for name, set := range map[string]func(*guardian){
		"an authorization server inside":       func(g *guardian) { g.about = inside.URL },
		"one that leads inside":                func(g *guardian) { g.about = away.URL },
		"a token address inside":               func(g *guardian) { g.change["token_endpoint"] = inside.URL },
		"a token address that leads inside":    func(g *guardian) { g.change["token_endpoint"] = away.URL },
		"a registration inside":                func(g *guardian) { g.change["registration_endpoint"] = inside.URL },
		"people sent inside":                   func(g *guardian) { g.change["authorization_endpoint"] = inside.URL },
		"people sent to a script":              func(g *guardian) { g.change["authorization_endpoint"] = "javascript:alert(1)" },
		"people sent to a file":                func(g *guardian) { g.change["authorization_endpoint"] = "file:///etc/passwd" },
		"people sent without TLS":              func(g *guardian) { g.change["authorization_endpoint"] = "http://as.loongclaw.dev/" },
		"a token address without TLS":          func(g *guardian) { g.change["token_endpoint"] = "http://as.loongclaw.dev/token" },
		"another issuer":                       func(g *guardian) { g.change["issuer"] = "https://other.loongclaw.dev" },
		"no proof of who began it (PKCE)":      func(g *guardian) { delete(g.change, "x"); g.change["code_challenge_methods_supported"] = []string{} },
		"more than anybody says of themselves": func(g *guardian) { g.change["issuer"] = strings.Repeat("x", 4<<20) },
	} {
		t.Run(name, func(t *testing.T) {
			g := newGuardian(t)
			set(g)
			r := newRig(t)
			r.open(func(c *mcp.Config) {
				c.Private = g.private()
				c.Private[address(away)] = true
			})
			if _, err := r.source.Put(t.Context(), "alice", "mine", mcp.Entry{URL: g.front.URL}); err != nil {
				t.Fatal(err)
			}
			r.await(mcp.Failed)
			back, err := r.leave("alice", "mine")
			if err == nil {
				if strings.HasPrefix(name, "people sent") {
					t.Errorf("they were sent there: %v", back)
				}
				_, err = r.source.Authorized(t.Context(), "alice", back)
			}
			if fault.CodeOf(err) != fault.CodeUnavailable || len(err.Error()) > 1000 || strings.Contains(err.Error(), "canary") {
				t.Errorf("%v", err)
			}
			if _, err := r.store.Get(t.Context(), grantOfAlice); !bucketHasNot(err) {
				t.Error("something was granted")
			}
		})
	}
	if n := reached.Load(); n > 0 {
		t.Errorf("an address inside was asked %d times", n)
	}
}

func TestWhatCannotBeAuthorized(t *testing.T) {
	g, open := newGuardian(t), newWeb(t)
	r := newRig(t)
	r.open(func(c *mcp.Config) {
		c.Private = g.private()
		c.Private[address(open.Server)] = true
		c.Servers = map[string]mcp.Entry{
			"guarded": {URL: g.front.URL}, "program": r.stdio("plain"), "open": {URL: open.URL},
			"keyed": {URL: g.front.URL, Headers: map[string]string{"authorization": "Bearer of-the-owner"}},
		}
	})
	for name, c := range map[string]struct {
		server string
		admin  bool
		as     mcp.Applicant
		want   fault.Code
	}{
		"nobody":                    {"none", true, applicant, fault.CodeNotFound},
		"the instance's, by a user": {"guarded", false, applicant, fault.CodeForbidden},
		"a program":                 {"program", true, applicant, fault.CodeConflict},
		"one with a token":          {"keyed", true, applicant, fault.CodeConflict},
		"one that wants none":       {"open", true, applicant, fault.CodeConflict},
		"nowhere to come back to":   {"guarded", true, mcp.Applicant{}, fault.CodeUnavailable},
	} {
		if to, err := r.source.Authorize(t.Context(), "alice", c.admin, c.server, c.as); fault.CodeOf(err) != c.want {
			t.Errorf("%s: %q, %v", name, to, err)
		}
	}
	back, err := r.leave("alice", "guarded")
	if err != nil {
		t.Fatal(err)
	}
	// Who begins again ends what they began before.
	if _, err := r.leave("alice", "guarded"); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if _, err = r.source.Authorized(t.Context(), "alice", back); fault.CodeOf(err) == fault.CodeNotFound {
			break
		}
	}
	if err == nil {
		t.Error("an authorization that was begun again was ended")
	}
	back, err = r.leave("alice", "guarded")
	if err != nil {
		t.Fatal(err)
	}
	no := url.Values{"error": {"access_denied\u202e\n" + strings.Repeat("x", 5000)}, "state": back["state"]}
	if _, err := r.source.Authorized(t.Context(), "alice", no); fault.CodeOf(err) != fault.CodeForbidden || len(err.Error()) > 500 || strings.ContainsAny(err.Error(), "\u202e\n") {
		t.Errorf("who says no: %v", err)
	}
	r.authorize("alice", "guarded")
	r.await(mcp.Unapproved)
	if keys := keysBelow(t, r.store, "secrets/"); !slices.Equal(keys, []string{"secrets/mcp-oauth/guarded"}) {
		t.Errorf("the instance's secrets are %q", keys)
	}
}

func keysBelow(t *testing.T, b bucket.Bucket, prefix string) (keys []string) {
	t.Helper()
	entries, _, err := b.List(t.Context(), prefix, "", 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		keys = append(keys, e.Key)
	}
	return keys
}
