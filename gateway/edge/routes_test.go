package edge

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/loongclaw/loongclaw/pkg/chat"
)

// What is counted by route must not grow with what clients make up.
func TestTheRouteOfADecisionIsATemplate(t *testing.T) {
	c := newCore(t, nil)
	for _, r := range []struct{ method, target, want string }{
		{"GET", "/health", "/health"},
		{"HEAD", "/health", "/health"},
		{"GET", "/api/history/alice%2Fsecret?token=x", "/api/history/:session"},
		{"POST", "/api/sessions/mine/runs", "/api/sessions/:session/runs"},
		{"GET", "/assets/app-1234.js", "/assets/*"},
		{"GET", "/s/mine", "/s/:session"},
		{"BREW", "/api/sessions/mine/runs", "/api/sessions/:session/runs"},
		{"OPTIONS", "/api/chat", "/api/chat"},
		{"GET", "/wp-login.php", ""},
		{"GET", "/api/nothing/here", ""},
		{"GET", "/assets", ""},
		{"GET", "/s/a/b/c", "/s/:session"}, // a last parameter takes all the rest
	} {
		d := c.Decide(Head{Method: r.method, Target: r.target, Host: "gate.example", Header: http.Header{}}, Facts{})
		if d.Route != r.want {
			t.Errorf("%s %s: route %q, want %q", r.method, r.target, d.Route, r.want)
		}
	}
}

// at is an address of a route.
func at(r chat.Route) string {
	return strings.NewReplacer(":session", "my%20s", ":id", "i1", ":name", "n1", "*", "dir/a%20b.txt").Replace(r.Path)
}

// Who may ask a route, and what a request counts in, is what its row says.
func TestEveryRouteLetsInByItsRow(t *testing.T) {
	c := newCore(t, func(cfg *Config) { cfg.Spends = true })
	for _, r := range chat.Routes() {
		var more []string
		if r.Path == chat.PathSocket {
			more = []string{"Connection", "Upgrade", "Upgrade", "websocket"}
		}
		ask := func(bearer string) (d Decision, status int, class string) {
			f := Facts{Limit: func(q LimitQuestion) LimitAnswer { class = q.Class; return allAgain }}
			if d = c.Decide(request(r.Method, at(r), append([]string{"Authorization", bearer}, more...)...), f); d.Respond != nil {
				status = d.Respond.Status
			}
			return d, status, class
		}
		d, status, class := ask("Bearer " + aliceToken)
		if class != r.Limit && r.Scope != "" || status >= 400 && d.Ask == nil && r.Scope != "" {
			t.Errorf("%v: counts as %q with status %d, want %q", r, class, status, r.Limit)
		}
		if (r.Scope == "") != (r.Limit == "") || r.Scope == "" && r.Forwarded() {
			t.Errorf("%v: who may be anybody is no user to count, and wakes no agent", r)
		}
		d, status, class = ask("")
		if want := r.Scope != ""; (status == 401) != want && r.Path != chat.PathLogin || class != "" || d.Forward != nil {
			t.Errorf("%v without a credential: %d, counted as %q", r, status, class)
		}
		if _, status, _ = ask("Bearer " + bobToken); (status == 403) != (r.Scope == chat.ScopeChat) {
			t.Errorf("%v for a reader: %d", r, status)
		}
	}
}

func TestEveryRouteOfTheAgentIsForwarded(t *testing.T) {
	c := newCore(t, nil)
	for _, r := range chat.Routes() {
		path := at(r)
		var asked LimitQuestion
		f := Facts{Limit: func(q LimitQuestion) LimitAnswer { asked = q; return allAgain }}
		d := c.Decide(request(r.Method, path+"?q=1"), f)
		if (d.Forward != nil) != r.Forwarded() {
			t.Errorf("%v: got %+v", r, d)
		}
		if d.Forward == nil {
			continue
		}
		p := verify(t, d.Forward.Set, r.Method, path)
		if p.User != "alice" || d.Forward.Target != path+"?q=1" || d.Forward.Agent != "http://agent" || d.Forward.Stream != r.Streams() || asked.Key != r.Limit+":alice" {
			t.Errorf("%v: got %+v for %v, asked %v", r, d.Forward, p, asked)
		}
		want := map[string]string{"RateLimit-Limit": fmt.Sprint(asked.N), "RateLimit-Remaining": "7", "RateLimit-Reset": "2", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "X-Request-Id": "id-0123456789"}
		if r.Path == chat.PathAttached {
			want["Cache-Control"] = "" // the agent says it
		}
		for k, v := range want {
			if got := d.Header.Get(k); got != v {
				t.Errorf("%v: %s is %q, want %q", r, k, got, v)
			}
		}
		d = c.Decide(request(r.Method, path, "Authorization", ""), Facts{})
		if status, code := refusal(t, d); status != 401 || code != "unauthorized" || d.Header.Get("WWW-Authenticate") == "" {
			t.Errorf("%v without a credential: %d %s %v", r, status, code, d.Header)
		}
	}
}

// A row for a body's length that is no route's would bound nothing.
func TestLengthsAreThoseOfRoutes(t *testing.T) {
	for name := range bodies {
		if !slices.ContainsFunc(chat.Routes(), func(r chat.Route) bool { return r.String() == name && r.Forwarded() }) {
			t.Errorf("%s is no route of the agent", name)
		}
	}
}
