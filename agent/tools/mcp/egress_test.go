package mcp_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/agent/tools/mcp"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// proxy plays the egress proxy before one server: it shows it a secret, and judges what
// the server answers as a test says.
type proxy struct {
	*httptest.Server
	to *url.URL

	mu       sync.Mutex
	instance string // what it tells of the instance's servers
	says     func(w http.ResponseWriter, r *http.Request) bool
	seen     []*http.Request
}

func newProxy(t *testing.T, server string) *proxy {
	t.Helper()
	to, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{to: to, instance: `{"servers":{}}`}
	p.Server = httptest.NewServer(http.HandlerFunc(p.serve))
	t.Cleanup(p.Close)
	return p
}

func (p *proxy) serve(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.seen = append(p.seen, r.Clone(r.Context()))
	instance, says := p.instance, p.says
	p.mu.Unlock()
	if r.URL.Path == "/servers" {
		_, _ = io.WriteString(w, instance)
		return
	}
	if says != nil && says(w, r) {
		return
	}
	(&httputil.ReverseProxy{
		Rewrite: func(out *httputil.ProxyRequest) {
			out.Out.URL, out.Out.Host = p.to, p.to.Host
			out.Out.Header.Set("Authorization", "Bearer canary-of-the-proxy")
		},
		ModifyResponse: func(answer *http.Response) error {
			answer.Header.Set("X-LoongClaw-Server", "answered")
			return nil
		},
		FlushInterval: -1,
	}).ServeHTTP(w, r)
}

func (p *proxy) answers(says func(w http.ResponseWriter, r *http.Request) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.says = says
}

// way is how an agent passes the proxy.
func (p *proxy) way(c *mcp.Config) {
	c.Programs = nil
	c.Egress = &mcp.Egress{URL: p.URL, Mark: func(r *http.Request) { r.Header.Set("X-LoongClaw-Door", "the-token-for-"+r.URL.Path) }}
}

func TestAUsersServerIsReachedThroughTheEgressProxy(t *testing.T) {
	w := newWeb(t)
	p := newProxy(t, w.URL)
	r := newRig(t)
	r.open(func(c *mcp.Config) {
		p.way(c)
		c.Private = map[string]bool{address(w.Server): true}
	})
	for _, bad := range []struct {
		entry mcp.Entry
		code  fault.Code
	}{
		{mcp.Entry{URL: w.URL, Headers: map[string]string{"Authorization": "Bearer hers"}}, fault.CodeForbidden},
		{mcp.Entry{Command: "sh"}, fault.CodeForbidden},
	} {
		if _, err := r.source.Put(t.Context(), "alice", "mine", bad.entry); fault.CodeOf(err) != bad.code {
			t.Errorf("%+v was taken: %v", bad.entry, err)
		}
	}
	if s, err := r.source.Put(t.Context(), "alice", "mine", mcp.Entry{URL: w.URL}); err != nil || s.State != mcp.Unapproved {
		t.Fatalf("%+v, %v", s, err)
	}
	r.approve()
	if out, err := r.call("mcp__mine__echo", `{"text":"hi"}`); out != "heard hi" || err != nil {
		t.Errorf("%q, %v", out, err)
	}
	p.mu.Lock()
	for _, q := range p.seen {
		if q.URL.Path != "/servers/u/alice/mine" || q.Header.Get("X-LoongClaw-Door") != "the-token-for-/servers/u/alice/mine" || len(q.Header.Get("X-LoongClaw-Server-Id")) != 64 || q.Header.Get("Authorization") != "" {
			t.Errorf("the proxy was asked for %s with %v", q.URL, q.Header)
		}
	}
	p.mu.Unlock()
	kept, _, err := r.store.List(t.Context(), "", "", 100)
	for _, o := range kept {
		if strings.Contains(o.Key, "secrets") {
			t.Errorf("the agent keeps %s", o.Key)
		}
	}
	if err != nil || len(kept) == 0 {
		t.Errorf("%d objects, %v", len(kept), err)
	}
	if err := r.source.Remove(t.Context(), "alice", "mine"); err != nil {
		t.Error(err)
	}
}

// Who set the headers anew means them to count at once, and the agent does not see them.
func TestASecondPutBeginsAnew(t *testing.T) {
	w := newWeb(t)
	p := newProxy(t, w.URL)
	r := newRig(t)
	p.answers(func(rw http.ResponseWriter, _ *http.Request) bool {
		rw.Header().Set("X-LoongClaw-Server", "refused")
		rw.WriteHeader(http.StatusUnauthorized)
		return true
	})
	r.open(func(c *mcp.Config) {
		p.way(c)
		c.Private = map[string]bool{address(w.Server): true}
	})
	for i, want := range []mcp.State{mcp.Failed, mcp.Unapproved} {
		s, err := r.source.Put(t.Context(), "alice", "mine", mcp.Entry{URL: w.URL})
		if err != nil || s.State != want {
			t.Errorf("put %d: %+v, %v", i, s, err)
		}
		p.answers(nil)
	}
}

func TestWhatTheEgressProxySays(t *testing.T) {
	judged := func(status int, judgement string) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("X-LoongClaw-Server", judgement)
			w.WriteHeader(status)
			return true
		}
	}
	for name, c := range map[string]struct {
		says      func(http.ResponseWriter, *http.Request) bool
		want      string
		authorize bool
	}{
		"wanted":  {judged(401, "wanted"), "it wants an authorization", true},
		"ended":   {judged(401, "ended"), "does not count any more", true},
		"less":    {judged(403, "less"), "for less than this needs", true},
		"refused": {judged(401, "refused"), "refuses the credentials", false},
		"its own": {func(w http.ResponseWriter, _ *http.Request) bool {
			w.WriteHeader(http.StatusConflict)
			_, _ = io.WriteString(w, `{"error":"another address is set up for it now","code":"conflict"}`)
			return true
		}, "another address is set up", false},
		"its own, to authorize": {func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("X-LoongClaw-Authorize", "1")
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `{"error":"its authorization has ended"}`)
			return true
		}, "its authorization has ended", true},
		"no words": {func(w http.ResponseWriter, _ *http.Request) bool {
			w.WriteHeader(http.StatusBadGateway)
			return true
		}, "status 502", false},
		"endless": {func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("X-LoongClaw-Server", "answered")
			w.Header().Set("Content-Type", "application/json")
			for range 20 {
				if _, err := io.WriteString(w, strings.Repeat(" ", 1<<20)); err != nil {
					break
				}
			}
			return true
		}, "16 MiB", false},
		"a redirect": {func(w http.ResponseWriter, r *http.Request) bool {
			w.Header().Set("X-LoongClaw-Server", "answered")
			http.Redirect(w, r, "/servers/u/bob/hers", http.StatusTemporaryRedirect)
			return true
		}, "does not speak the protocol", false},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProxy(t, "http://127.0.0.1:1")
			p.answers(c.says)
			r := newRig(t)
			r.open(func(config *mcp.Config) {
				p.way(config)
				config.Servers = map[string]mcp.Entry{"theirs": {URL: "https://tools.example.org/mcp"}}
			})
			s := r.await(mcp.Failed)
			if !strings.Contains(s.Error, c.want) || s.Authorize != c.authorize {
				t.Errorf("%+v", s)
			}
			p.mu.Lock()
			defer p.mu.Unlock()
			for _, q := range p.seen {
				if q.URL.Path != "/servers/config/theirs" {
					t.Errorf("the proxy was asked for %s", q.URL.Path)
				}
			}
		})
	}
}

func TestTheInstancesServersAreToldByTheEgressProxy(t *testing.T) {
	w := newWeb(t)
	p := newProxy(t, w.URL)
	p.instance = `{"servers":{"good":{"url":"` + w.URL + `","allow":["echo"],"headers":{"Authorization":"x"}},"program":{"command":"sh","fault":"this host starts no programs"},"unset":{"url":"https://x.example.org/","fault":"MCP_X is not set on the Worker"}}}`
	r := newRig(t)
	var c mcp.Config
	p.way(&c)
	servers, faults, unread, err := c.Egress.Instance(t.Context())
	if err != nil || unread != "" || len(servers["good"].Headers) != 0 {
		t.Fatalf("%v, %v, %v, %q", err, servers, faults, unread)
	}
	r.open(func(c *mcp.Config) {
		p.way(c)
		c.Servers, c.Faults, c.Private = servers, faults, map[string]bool{address(w.Server): true}
	})
	r.await(mcp.Unapproved)
	list, err := r.source.List(t.Context(), "alice")
	if err != nil || len(list) != 3 {
		t.Fatalf("%+v, %v", list, err)
	}
	for i, want := range []string{"", "starts no programs", "MCP_X is not set"} {
		if s := list[i]; !strings.Contains(s.Error, want) || (s.State == mcp.Failed) != (want != "") {
			t.Errorf("%+v, want %q", s, want)
		}
	}
	for body, want := range map[string]string{`{"servers":{},"fault":"it is not JSON"}`: "it is not JSON", `{}`: ""} {
		p.instance = body
		if _, _, unread, err := c.Egress.Instance(t.Context()); err != nil || unread != want {
			t.Errorf("%s: %q, %v", body, unread, err)
		}
	}
	p.instance = "<html>"
	if _, _, _, err := c.Egress.Instance(t.Context()); err == nil {
		t.Error("what is no list was taken as one")
	}
}

// The gateway leads a person here after the egress proxy has taken what was granted.
func TestAnAuthorizationThatWasGivenAtTheEgressProxy(t *testing.T) {
	w := newWeb(t)
	p := newProxy(t, w.URL)
	p.answers(func(rw http.ResponseWriter, _ *http.Request) bool {
		rw.Header().Set("X-LoongClaw-Server", "wanted")
		rw.WriteHeader(http.StatusUnauthorized)
		return true
	})
	r := newRig(t)
	stands := time.Now()
	r.open(func(c *mcp.Config) {
		p.way(c)
		c.Now = func() time.Time { return stands } // no pause ends by itself
		c.Private = map[string]bool{address(w.Server): true}
	})
	if s, err := r.source.Put(t.Context(), "alice", "mine", mcp.Entry{URL: w.URL}); err != nil || !s.Authorize {
		t.Fatalf("%+v, %v", s, err)
	}
	if _, err := r.source.Authorize(t.Context(), "alice", true, "mine", mcp.ApplicantAt("https://gate.example.org")); fault.CodeOf(err) != fault.CodeConflict {
		t.Errorf("the agent begins an authorization itself: %v", err)
	}
	if _, err := r.source.Authorized(t.Context(), "alice", url.Values{"server": {"another"}}); fault.CodeOf(err) != fault.CodeNotFound {
		t.Errorf("of an unknown server: %v", err)
	}
	p.answers(nil)
	if name, err := r.source.Authorized(t.Context(), "alice", url.Values{"server": {"mine"}}); err != nil || name != "mine" {
		t.Fatalf("%q, %v", name, err)
	}
	r.await(mcp.Unapproved)
	noted, _ := json.Marshal(r.log)
	if !strings.Contains(string(noted), `"authorized"`) {
		t.Errorf("nothing is noted: %s", noted)
	}
}
