package edge

import (
	"encoding/json"
	"testing"

	"github.com/loongclaw/loongclaw/pkg/chat"
)

// What a client of /v1 is refused, it can read.
func TestRefusalsBelowV1AreOpenAIs(t *testing.T) {
	c := newCore(t, nil)
	none := Facts{Limit: func(LimitQuestion) LimitAnswer { return LimitAnswer{} }}
	long := request("POST", "/v1/chat/completions")
	long.Length = modelBody + 1
	for name, tc := range map[string]struct {
		head   Head
		facts  Facts
		status int
		kind   string
	}{
		"no credential":    {request("POST", "/v1/chat/completions", "Authorization", ""), generous(), 401, "authentication_error"},
		"a wrong one":      {request("POST", "/v1/chat/completions", "Authorization", "Bearer nobody"), generous(), 401, "authentication_error"},
		"a locked address": {request("POST", "/v1/chat/completions", "Authorization", "Bearer nobody"), none, 429, "rate_limit_error"},
		"a missing scope":  {request("POST", "/v1/chat/completions", "Authorization", "Bearer "+bobToken), generous(), 403, "permission_error"},
		"the limit":        {request("POST", "/v1/chat/completions"), none, 429, "rate_limit_error"},
		"no such path":     {request("GET", "/v1/files"), generous(), 404, "invalid_request_error"},
		"no such method":   {request("PUT", "/v1/models"), generous(), 405, "invalid_request_error"},
		"too large":        {long, generous(), 413, "invalid_request_error"},
		"no path at all":   {request("GET", "/v1/%zz"), generous(), 400, "invalid_request_error"},
	} {
		d := c.Decide(tc.head, tc.facts)
		status, _ := refusal(t, d)
		var got struct{ Error struct{ Type string } }
		if err := json.Unmarshal(d.Respond.Body, &got); err != nil || status != tc.status || got.Error.Type != tc.kind {
			t.Errorf("%s: got %d %s, %v, want %d %s", name, status, d.Respond.Body, err, tc.status, tc.kind)
		}
	}
}

// A question to the host carries the dialect, too: what the host refuses has it.
func TestQuestionsCarryTheDialect(t *testing.T) {
	c := newCore(t, nil)
	for target, want := range map[string]bool{"/v1/models": true, "/api/stats": false} {
		if d := c.Decide(request("GET", target), Facts{}); d.Ask == nil || (d.Dialect != 0) != want {
			t.Errorf("%s: got %+v", target, d)
		}
	}
}

// A slash more is the same path to the agent, whose pass names it; elsewhere it is
// another path, as before.
func TestATrailingSlashCountsAsNone(t *testing.T) {
	c := newCore(t, nil)
	for target, want := range map[string]string{
		"/v1/models/": "/v1/models", "/v1/models/x/": "/v1/models/x", "/v1/models/x%2F": "/v1/models/x%2F", "/v1/models/x%2F/": "/v1/models/x%2F",
		"/v1/models//": "/v1/models", "//v1/models": "/v1/models", "///v1/models/": "/v1/models", "/v1/models/a/b": "/v1/models/a/b", "/v1/models/a/b/": "/v1/models/a/b",
		"/v1/models/../files": "", "/v1/models/a/%2e%2e": "", "/v1/models/a%00b": "", "/v1/models/..a": "/v1/models/..a",
		"/v1/": "", "//api/stats": "", "//evil.example/v1/models": "", "/v1/chat/completions/x": "", "/api/stats/": "",
	} {
		d := c.Decide(request("GET", target), generous())
		switch {
		case want == "" && d.Forward != nil:
			t.Errorf("%s: goes on to %s", target, d.Forward.Target)
		case want != "" && d.Forward == nil:
			t.Errorf("%s: got %+v", target, d.Respond)
		case want != "":
			if d.Forward.Target != want {
				t.Errorf("%s: goes on to %s, want %s", target, d.Forward.Target, want)
			}
			verify(t, d.Forward.Set, "GET", want)
		}
	}
}

func TestKeysAreOneOfPlainText(t *testing.T) {
	c := newCore(t, nil)
	for _, r := range chat.Routes() {
		if !r.Forwarded() {
			continue
		}
		for _, keys := range [][]string{{"k\xe9"}, {"ké"}, {"k\x00"}, {"a", "b"}, {"a", "a"}, {"k\x7f"}} {
			h := request(r.Method, at(r))
			h.Header["Idempotency-Key"] = keys
			if status, code := refusal(t, c.Decide(h, generous())); status != 400 || code != "invalid_request" {
				t.Errorf("%v with %+q: got %d %s", r, keys, status, code)
			}
		}
	}
}

// Behind a proxy that passes the name alone the page is let in where the proxy is
// trusted and says the port, and else told what to mend.
func TestAPortThatAProxyDrops(t *testing.T) {
	c := newCore(t, func(cfg *Config) { cfg.Proxies = mustProxies(t, "192.0.2.0/24") })
	ask := func(peer, host, origin string, more ...string) Decision {
		h := request("GET", "/ws", append([]string{"Origin", origin, "Connection", "Upgrade", "Upgrade", "websocket"}, more...)...)
		h.Host, h.RemoteAddr = host, peer
		return c.Decide(h, generous())
	}
	for name, tc := range map[string]struct {
		d    Decision
		in   bool
		hint bool
	}{
		"both have it":                    {ask("198.51.100.1:1", "gw.example:8443", "https://gw.example:8443"), true, false},
		"the name alone":                  {ask("198.51.100.1:1", "gw.example", "https://gw.example:8443"), false, true},
		"the name alone, trusted, silent": {ask("192.0.2.1:1", "gw.example", "https://gw.example:8443"), false, true},
		"a trusted proxy says it":         {ask("192.0.2.1:1", "gw.example", "https://gw.example:8443", "X-Forwarded-Port", "8443"), true, false},
		"a trusted one says another":      {ask("192.0.2.1:1", "gw.example", "https://gw.example:9000", "X-Forwarded-Port", "8443"), false, false},
		"a stranger says it":              {ask("198.51.100.1:1", "gw.example", "https://gw.example:8443", "X-Forwarded-Port", "8443"), false, true},
		"behind TLS":                      {ask("192.0.2.1:1", "gw.example", "https://gw.example", "X-Forwarded-Port", "80"), true, false},
		"another page":                    {ask("198.51.100.1:1", "gw.example", "https://evil.example:8443"), false, false},
	} {
		if (tc.d.Socket != nil) != tc.in {
			t.Errorf("%s: got %+v", name, tc.d)
		}
		if tc.d.Respond != nil && (string(tc.d.Respond.Body) == string(errOriginPort.With(tc.d.RequestID).JSON(0))) != tc.hint {
			t.Errorf("%s: got %s", name, tc.d.Respond.Body)
		}
	}
}
