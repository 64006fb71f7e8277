package edge

import (
	"net/http"
	"testing"
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
