package mcp_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/loongclaw/loongclaw/agent/tools"
	"github.com/loongclaw/loongclaw/agent/tools/mcp"
)

// web is a server over HTTP, which speaks the newest revision, and what it was sent.
type web struct {
	*httptest.Server
	mu   sync.Mutex
	auth []string // of every request
	sent []string // their bodies
	list atomic.Int32
}

func newWeb(t *testing.T) *web {
	t.Helper()
	server := sdk.NewServer(&sdk.Implementation{Name: "web", Version: "1"}, nil)
	sdk.AddTool(server, &sdk.Tool{Name: "echo", Description: "says it again"}, func(_ context.Context, _ *sdk.CallToolRequest, in struct {
		Text string `json:"text"`
	},
	) (*sdk.CallToolResult, any, error) {
		return &sdk.CallToolResult{Content: []sdk.Content{&sdk.TextContent{Text: "heard " + in.Text}}}, nil, nil
	})
	w := &web{}
	server.AddReceivingMiddleware(func(next sdk.MethodHandler) sdk.MethodHandler {
		return func(ctx context.Context, method string, req sdk.Request) (sdk.Result, error) {
			res, err := next(ctx, method, req)
			if list, ok := res.(*sdk.ListToolsResult); ok && err == nil {
				w.list.Add(1)
				list.TTLMs = 3_600_000 // it says that its list counts for an hour
			}
			return res, err
		}
	})
	handler := sdk.NewStreamableHTTPHandler(func(*http.Request) *sdk.Server { return server }, &sdk.StreamableHTTPOptions{Stateless: true})
	w.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		w.mu.Lock()
		w.auth, w.sent = append(w.auth, r.Header.Get("Authorization")), append(w.sent, string(body))
		w.mu.Unlock()
		handler.ServeHTTP(rw, r)
	}))
	t.Cleanup(w.Close)
	return w
}

func address(s *httptest.Server) string { return strings.TrimPrefix(s.URL, "http://") }

func TestAServerOverHTTP(t *testing.T) {
	r, w := newRig(t), newWeb(t)
	r.open(func(c *mcp.Config) {
		c.Private = map[string]bool{address(w.Server): true}
		c.Lookup = func(name string) (string, bool) { return "the-token", name == "MCP_TOKEN" }
		c.Servers = map[string]mcp.Entry{"web": {URL: w.URL, Headers: map[string]string{"Authorization": "Bearer ${MCP_TOKEN}"}, Allow: []string{"echo"}}}
	})
	s := r.await(mcp.Unapproved)
	if s.Protocol != "2026-07-28" {
		t.Errorf("it speaks %s", s.Protocol)
	}
	r.approve()
	before := w.list.Load()
	for range 2 {
		if out, err := r.call("mcp__web__echo", `{"text":"hi"}`); out != "heard hi" || err != nil {
			t.Errorf("%q, %v", out, err)
		}
	}
	if got := w.list.Load() - before; got < 2 {
		t.Errorf("the definitions were read %d times for 2 calls, whatever the server says of their lifetime", got)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, auth := range w.auth {
		if auth != "Bearer the-token" {
			t.Errorf("a request was sent with %q", auth)
		}
	}
}

func TestWhatIsNotReachedOverHTTP(t *testing.T) {
	w := newWeb(t)
	var stolen atomic.Int32
	thief := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" || r.Header.Get("X-Key") != "" {
			stolen.Add(1)
		}
	}))
	defer thief.Close()
	away := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		http.Redirect(rw, r, thief.URL, http.StatusTemporaryRedirect)
	}))
	defer away.Close()
	locked := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusUnauthorized) }))
	defer locked.Close()
	endless := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "application/json")
		for range 64 {
			if _, err := fmt.Fprint(rw, strings.Repeat(" ", 1<<20)); err != nil {
				return
			}
		}
	}))
	defer endless.Close()
	keys := map[string]string{"Authorization": "Bearer secret", "X-Key": "secret"}
	for name, c := range map[string]struct {
		url     string
		private []string
		want    string
	}{
		"private":             {w.URL, nil, "only https"},
		"another port":        {w.URL, []string{"127.0.0.1:1"}, "only https"},
		"by name":             {"https://localhost/", nil, "local network"},
		"metadata":            {"https://169.254.169.254/", nil, "not a public address"},
		"redirected inside":   {away.URL, []string{address(away)}, "redirects"},
		"redirected, allowed": {away.URL, []string{address(away), address(thief)}, ""},
		"refused":             {locked.URL, []string{address(locked)}, "credentials"},
		"endless":             {endless.URL, []string{address(endless)}, "16 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.open(func(config *mcp.Config) {
				config.Private = map[string]bool{}
				for _, p := range c.private {
					config.Private[p] = true
				}
				config.Servers = map[string]mcp.Entry{"web": {URL: c.url, Headers: keys}}
			})
			s := r.await(mcp.Failed)
			if !strings.Contains(s.Error, c.want) || s.Error == "" || strings.Contains(s.Error, "secret") {
				t.Errorf("%q, want %q", s.Error, c.want)
			}
		})
	}
	if stolen.Load() > 0 {
		t.Error("headers went to another host")
	}
}

func TestAUsersOwnServer(t *testing.T) {
	r, w := newRig(t), newWeb(t)
	r.open(func(c *mcp.Config) { c.Private = map[string]bool{address(w.Server): true} })
	s, err := r.source.Put(t.Context(), "alice", "mine", mcp.Entry{URL: w.URL, Headers: map[string]string{"Authorization": "Bearer hers"}})
	if err != nil || s.State != mcp.Unapproved {
		t.Fatalf("%+v, %v", s, err)
	}
	if b, _ := json.Marshal(s); strings.Contains(string(b), "hers") {
		t.Errorf("%s", b)
	}
	if _, err := r.source.Approve(t.Context(), "bob", true, "mine", s.Hash); err == nil {
		t.Error("another user approved it")
	}
	if _, err := r.source.Approve(t.Context(), "alice", false, "mine", s.Hash); err != nil {
		t.Fatal(err)
	}
	scope := r.verdict("mcp__mine__echo").Scope
	if scope == "" || r.box.For("bob").Knows("mcp__mine__echo") {
		t.Errorf("alice asks with %q, bob knows it: %v", scope, r.box.For("bob").Knows("mcp__mine__echo"))
	}
	// Another token is no other server; removing it and setting it up again is one.
	if s, err = r.source.Put(t.Context(), "alice", "mine", mcp.Entry{URL: w.URL, Headers: map[string]string{"Authorization": "Bearer new"}}); err != nil || s.State != mcp.Ready {
		t.Errorf("with a new token: %+v, %v", s, err)
	}
	if err := r.source.Remove(t.Context(), "alice", "mine"); err != nil {
		t.Fatal(err)
	}
	if v := r.box.Judge("mcp__mine__echo", nil, tools.Env{User: "alice"}); v.Kind != tools.VerdictDeny {
		t.Errorf("a removed server's tool: %+v", v)
	}
	o, err := r.store.Get(t.Context(), "u/alice/secrets/mcp.json")
	if err != nil || strings.Contains(string(o.Body), "new") {
		t.Errorf("its headers are kept: %s, %v", o.Body, err)
	}
	if s, err = r.source.Put(t.Context(), "alice", "mine", mcp.Entry{URL: w.URL}); err != nil || s.State != mcp.Unapproved {
		t.Errorf("again: %+v, %v", s, err)
	}
}
