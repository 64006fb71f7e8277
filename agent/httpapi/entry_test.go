package httpapi

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
	"github.com/loongclaw/loongclaw/pkg/pass"
)

var unguarded = []string{"/active", chat.PathHealth, chat.PathReady}

// filled is a route's path with something for each of its parts.
func filled(path string) string {
	return strings.ReplaceAll(regexp.MustCompile(`:[a-z]+`).ReplaceAllString(path, "x"), "*", "x")
}

// guarded are all routes that need a pass, as method and path.
func guarded(t *testing.T, r *rig) [][2]string {
	t.Helper()
	var out [][2]string
	for _, route := range r.echo.Routes() {
		method := route.Method
		if method == echo.RouteNotFound {
			method = http.MethodGet
		}
		if !slices.Contains(unguarded, route.Path) {
			out = append(out, [2]string{method, filled(route.Path)})
		}
	}
	if len(out) < 28 {
		t.Fatalf("only %d routes were found", len(out))
	}
	return out
}

func TestEveryRouteNeedsAPass(t *testing.T) {
	r := newRig(t)
	for _, route := range guarded(t, r) {
		method, path := route[0], route[1]
		all := pass.Pass{User: "alice", Scopes: []string{"read", "chat", "admin"}}
		for name, prepare := range map[string]func(*http.Request){
			"no pass":          func(*http.Request) {},
			"an empty pass":    func(q *http.Request) { q.Header.Set(chat.HeaderPass, "") },
			"no pass but text": func(q *http.Request) { q.Header.Set(chat.HeaderPass, "alice") },
			"a bearer token":   func(q *http.Request) { q.Header.Set("Authorization", "Bearer alice") },
			"another method's": func(q *http.Request) { p := all; p.Method = "TRACE"; r.allow(q, p) },
			"another path's":   func(q *http.Request) { p := all; p.Path = path + "/y"; r.allow(q, p) },
			"nobody's":         func(q *http.Request) { p := all; p.User = ""; r.allow(q, p) },
			"an old one": func(q *http.Request) {
				text, _ := pass.Sign(r.key, pass.Pass{User: "alice", Scopes: all.Scopes, Method: method, Path: path}, time.Now().Add(-2*time.Minute))
				q.Header.Set(chat.HeaderPass, text)
			},
			"in the query": func(q *http.Request) {
				r.allow(q, all)
				q.URL.RawQuery = chat.HeaderPass + "=" + q.Header.Get(chat.HeaderPass)
				q.Header.Del(chat.HeaderPass)
			},
		} {
			q := httptest.NewRequest(method, path, strings.NewReader("{}"))
			prepare(q)
			refused(t, method+" "+path+" with "+name, r.do(q), 401, fault.CodeUnauthorized)
		}
	}
	if got := r.call(http.MethodGet, chat.PathStats, "", 200)["sessions"]; got != 0.0 {
		t.Errorf("something was done all the same: %v sessions", got)
	}
}

// What only looks needs "read", what changes something "chat", an authorization in a
// browser too; which of them a request to the server of MCP does, its tools say.
func TestEveryRouteNeedsItsScope(t *testing.T) {
	r := newRig(t)
	for _, route := range r.echo.Routes() {
		if slices.Contains(unguarded, route.Path) || route.Method == echo.RouteNotFound {
			continue
		}
		need, other := "chat", "read"
		authorizes := route.Path == chat.PathServerGrant || route.Path == chat.PathServerReturn
		if route.Method == http.MethodGet && !authorizes || route.Path == chat.PathMCP {
			need, other = other, need
		}
		for _, scopes := range [][]string{nil, {other}, {"admin"}, {"READ", "CHAT"}, {need + " "}} {
			q := httptest.NewRequest(route.Method, filled(route.Path), strings.NewReader("{}"))
			r.allow(q, pass.Pass{User: "alice", Scopes: scopes})
			refused(t, route.Method+" "+route.Path, r.do(q), 403, fault.CodeForbidden)
		}
		q := httptest.NewRequest(route.Method, filled(route.Path), strings.NewReader("[]"))
		r.allow(q, pass.Pass{User: "alice", Scopes: []string{need}})
		if w := r.do(q); w.Code == 401 || w.Code == 403 {
			t.Errorf("%s %s with %s: got %d %s", route.Method, route.Path, need, w.Code, w.Body)
		}
	}
}

func TestHealthAndReadyNeedNoPass(t *testing.T) {
	r := newRig(t)
	w := r.do(httptest.NewRequest(http.MethodGet, chat.PathHealth, nil))
	if w.Code != 200 || !strings.Contains(w.Body.String(), `"agent":"熊大"`) || !strings.Contains(w.Body.String(), `"version":"v1"`) {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	refused(t, "not ready", r.do(httptest.NewRequest(http.MethodGet, chat.PathReady, nil)), 503, fault.CodeUnavailable)
	r.SetReady()
	if w := r.do(httptest.NewRequest(http.MethodGet, chat.PathReady, nil)); w.Code != 200 {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

func TestOneUserSeesNothingOfAnother(t *testing.T) {
	r := newRig(t)
	r.call(http.MethodPost, chat.PathChat, `{"message":"secret","sessionId":"s"}`, 200)
	r.call(http.MethodPut, "/api/files/notes.md", "secret", 200)
	r.call(http.MethodPost, chat.PathMemory, `{"content":"secret"}`, 201)
	for _, path := range []string{
		chat.PathSessions, chat.PathHistory + "/s", chat.PathFiles, "/api/files/notes.md", "/api/sessions/s", "/api/sessions/s/events",
		chat.PathMemorySearch + "?keyword=secret", chat.PathMemoryExport, chat.PathUsage,
	} {
		q := r.request(http.MethodGet, path, "")
		r.allow(q, pass.Pass{User: "bob", Scopes: []string{"read"}})
		q.Header.Set("X-LoongClaw-User", "alice")
		if w := r.do(q); strings.Contains(w.Body.String(), "secret") || w.Code >= 500 {
			t.Errorf("bob reads %s: %d %s", path, w.Code, w.Body)
		}
	}
	for _, c := range [][2]string{{"DELETE", "/api/sessions/s"}, {"PATCH", "/api/sessions/s"}, {"POST", "/api/sessions/s/cancel"}, {"DELETE", "/api/history/all"}, {"DELETE", "/api/files/notes.md"}} {
		q := r.request(c[0], c[1], `{"title":"taken"}`)
		r.allow(q, pass.Pass{User: "bob", Scopes: []string{"chat"}})
		if w := r.do(q); w.Code >= 500 {
			t.Errorf("%v: got %d %s", c, w.Code, w.Body)
		}
	}
	if got := r.call(http.MethodGet, "/api/history/s", "", 200)["messages"].([]any); len(got) != 2 {
		t.Errorf("alice's session has %d messages left", len(got))
	}
	if w := r.do(r.request(http.MethodGet, "/api/files/notes.md", "")); w.Body.String() != "secret" {
		t.Errorf("alice's file: %d %s", w.Code, w.Body)
	}
}

func TestUnknownPaths(t *testing.T) {
	r := newRig(t)
	for _, c := range []struct {
		method, path string
		status       int
		code         fault.Code
	}{
		{"GET", "/", 404, fault.CodeNotFound},
		{"GET", "/api/nothing", 404, fault.CodeNotFound},
		{"GET", "/api/sessions/x/nothing", 404, fault.CodeNotFound},
		{"GET", "/api/sessions/x", 404, fault.CodeNotFound},
		{"POST", "/api/stats", 405, fault.CodeMethod},
		{"PUT", "/api/chat", 405, fault.CodeMethod},
	} {
		refused(t, c.method+" "+c.path, r.do(r.request(c.method, c.path, "")), c.status, c.code)
	}
}
