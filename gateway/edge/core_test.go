package edge

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"

	"github.com/loongclaw/loongclaw/gateway/access"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

func TestNewFailsClosed(t *testing.T) {
	_, err := New(Config{LoginCode: "short"})
	if err == nil {
		t.Fatal("no fault")
	}
	for _, want := range []string{"LOONGCLAW_TOKENS=alice:TOKEN", "LOONGCLAW_LOGIN_CODE: is set without", "LOONGCLAW_LOGIN_CODE: is shorter", "PASS_PRIVATE_KEY", "AGENT_URL", "RATE_LIMIT_CHAT"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in:\n%v", want, err)
		}
	}
}

func TestBadPathsStayHere(t *testing.T) {
	c := newCore(t, nil)
	long := strings.Repeat("x", 300)
	for target, want := range map[string]int{
		"/api/history/..":                       400,
		"/api/history/%2e%2e":                   400,
		"/api/history/..%2f..%2fetc":            400,
		"/api/history/a%2Fb":                    400,
		"/api/history/a%5Cb":                    400,
		"/api/history/a%00b":                    400,
		"/api/history/%ff":                      400,
		"/api/history/" + long:                  400,
		"/api/sessions/../events":               400,
		"/api/sessions/" + long + "/events":     400,
		"/api/sessions/a%0ab/events":            400,
		"/api/files/../secret":                  400,
		"/api/files/a/%2e%2e/b":                 400,
		"/api/files/a%00":                       400,
		"/s/..%2f..":                            400,
		"/api/history/%zz":                      400,
		"/api/sessions/a/../b/events":           404,
		"/api/%63hat":                           404,
		"/nothing":                              404,
		"/api":                                  404,
		"/api/chat/":                            404,
		"//api/chat":                            404,
		"/assets/../index.html":                 404,
		"/assets/%2e%2e/index.html":             404,
		"*":                                     404,
		"http://[bad":                           400,
		"/api/history/熊":                        200,
		"/api/history/%2541":                    200,
		"/api/history/%E7%86%8A%20%F0%9F%90%BB": 200,
	} {
		d := c.Decide(request("GET", target), generous())
		if want == 200 {
			if d.Forward == nil {
				t.Errorf("%s: got %+v", target, d.Respond)
			}
			continue
		}
		if status, code := refusal(t, d); status != want {
			t.Errorf("%.60s: got %d %s, want %d", target, status, code, want)
		}
	}
}

func TestMethods(t *testing.T) {
	c := newCore(t, nil)
	d := c.Decide(request("POST", "/health"), generous())
	if status, code := refusal(t, d); status != 405 || code != "method_not_allowed" || !strings.Contains(d.Header.Get("Allow"), "GET") {
		t.Errorf("got %d %s, Allow %q", status, code, d.Header.Get("Allow"))
	}
	d = c.Decide(request("HEAD", "/api/sessions"), generous())
	if d.Forward == nil || d.Forward.Method != "GET" {
		t.Fatalf("HEAD: got %+v", d)
	}
	verify(t, d.Forward.Set, "GET", "/api/sessions")
	if d := c.Decide(request("HEAD", "/health"), generous()); d.Respond == nil || d.Respond.Status != 200 {
		t.Errorf("HEAD /health: %+v", d)
	}
	if d := c.Decide(request("OPTIONS", "/api/chat"), generous()); d.Respond == nil || d.Respond.Status != 204 || !strings.Contains(d.Header.Get("Allow"), "POST") {
		t.Errorf("OPTIONS: %+v", d)
	}
}

func TestCORS(t *testing.T) {
	c := newCore(t, nil)
	for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
		d := c.Decide(request("OPTIONS", "/api/history/x", "Authorization", "", "Origin", "https://app.example.com", "Access-Control-Request-Method", method), Facts{})
		if d.Respond == nil || d.Respond.Status != 204 || d.Header.Get("Access-Control-Allow-Origin") != "https://app.example.com" || !strings.Contains(d.Header.Get("Access-Control-Allow-Methods"), method) {
			t.Errorf("preflight for %s: %+v %v", method, d.Respond, d.Header)
		}
		for _, h := range []string{"Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID", "X-Request-Id"} {
			if !strings.Contains(d.Header.Get("Access-Control-Allow-Headers"), h) {
				t.Errorf("%s is not allowed", h)
			}
		}
	}
	for origin, want := range map[string]string{"https://app.example.com": "https://app.example.com", "https://evil.example": "", "http://app.example.com": "", "null": ""} {
		d := c.Decide(request("GET", "/api/stats", "Origin", origin), generous())
		if got := d.Header.Get("Access-Control-Allow-Origin"); got != want || d.Header.Get("Vary") != "Origin" || d.Forward == nil {
			t.Errorf("%s: got %q, %v", origin, got, d.Header)
		}
		d = c.Decide(request("OPTIONS", "/api/stats", "Origin", origin, "Access-Control-Request-Method", "GET"), generous())
		if got := d.Header.Get("Access-Control-Allow-Methods"); (got != "") != (want != "") {
			t.Errorf("preflight from %s: %q", origin, got)
		}
	}
}

func TestWithoutTokensOnlyThisMachineIsLetIn(t *testing.T) {
	c := newCore(t, func(cfg *Config) { cfg.Tokens, cfg.Loopback = nil, true })
	local := func(more ...string) Head {
		h := request("GET", "/api/stats", append([]string{"Authorization", ""}, more...)...)
		h.Host = "127.0.0.1:8787"
		return h
	}
	posted := func(more ...string) Head {
		h := local(more...)
		h.Method, h.Target = "POST", "/api/chat"
		return h
	}
	for name, tc := range map[string]struct {
		head Head
		in   bool
	}{
		"curl":                {local(), true},
		"a foreign token":     {local("Authorization", "Bearer whatever"), true},
		"own page":            {local("Origin", "http://127.0.0.1:8787", "Sec-Fetch-Site", "same-origin"), true},
		"foreign page":        {local("Origin", "https://evil.example"), false},
		"listed page":         {local("Origin", "https://app.example.com"), false},
		"neighbour port":      {local("Origin", "http://127.0.0.1:3000"), false},
		"sandboxed page":      {local("Origin", "null"), false},
		"foreign page's img":  {local("Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors"), false},
		"a link to here":      {local("Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"), true},
		"a foreign form":      {posted("Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"), false},
		"a neighbour's form":  {posted("Sec-Fetch-Site", "same-site", "Sec-Fetch-Mode", "navigate"), false},
		"own form":            {posted("Sec-Fetch-Site", "same-origin", "Sec-Fetch-Mode", "navigate"), true},
		"a foreign socket":    {local("Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Connection", "Upgrade", "Upgrade", "websocket"), false},
		"a name that rebinds": {func() Head { h := local(); h.Host = "evil.example"; return h }(), false},
	} {
		d := c.Decide(tc.head, generous())
		if !tc.in {
			if status, code := refusal(t, d); status != 403 || code != "origin_refused" {
				t.Errorf("%s: got %d %s", name, status, code)
			}
			continue
		}
		if d.Forward == nil {
			t.Errorf("%s: got %+v", name, d)
			continue
		}
		if p := verify(t, d.Forward.Set, tc.head.Method, tc.head.Target); p.User != "local" || len(p.Scopes) != 3 {
			t.Errorf("%s: got %v", name, p)
		}
	}
}

func TestLimits(t *testing.T) {
	c := newCore(t, nil)
	h := request("POST", "/api/chat")
	d := c.Decide(h, Facts{})
	want := &Question{Limit: &LimitQuestion{Key: "chat:alice", Class: "chat", N: 30, Per: 60}}
	if diff := cmp.Diff(want, d.Ask); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	h.RequestID = "kept"
	d = c.Decide(h, Facts{Limits: map[string]LimitAnswer{"chat:alice": {RetryAfter: 1200 * time.Millisecond, Reset: time.Minute}}})
	if status, code := refusal(t, d); status != 429 || code != "rate_limited" || d.Header.Get("Retry-After") != "2" || d.Header.Get("RateLimit-Remaining") != "0" || d.Header.Get("RateLimit-Reset") != "60" || d.RequestID != "kept" {
		t.Errorf("got %d %s %v", status, code, d.Header)
	}
}

// TestWhatMayBeKept: a host may keep the answer that the gateway lives, as long as nothing of
// the request stands in it.
func TestWhatMayBeKept(t *testing.T) {
	for name, tc := range map[string]struct {
		head    Head
		proxies string
		kept    bool
	}{
		"health":                   {request("GET", "/health"), "", true},
		"its head":                 {request("HEAD", "/health"), "", true},
		"a page's":                 {request("GET", "/health", "Origin", "https://app.example.com"), "", false},
		"with an id":               {request("GET", "/health", "X-Request-Id", "mine"), "", false},
		"behind a proxy":           {request("GET", "/health"), "192.0.2.0/24", false},
		"readiness":                {request("GET", "/ready"), "", false},
		"nothing at the address":   {request("GET", "/nothing"), "", false},
		"a method that is not one": {request("POST", "/health"), "", false},
	} {
		c := newCore(t, func(cfg *Config) { cfg.Proxies, _ = access.ParseProxies(tc.proxies) })
		d := c.Decide(tc.head, generous())
		if d.Respond == nil || (d.Respond.Stamp != "") != tc.kept || !strings.Contains(string(d.Respond.Body), d.Respond.Stamp) {
			t.Errorf("%s: got %+v", name, d.Respond)
		}
	}
}

// TestOnlyReadsAreLeased: a share of a limit serves the requests that can change nothing, of
// every route; and what a host says of a request itself goes before it.
func TestOnlyReadsAreLeased(t *testing.T) {
	c := newCore(t, nil)
	for _, r := range append(chat.Routes(), chat.Route{Method: "GET", Path: "/"}) {
		var asked []string
		path := strings.NewReplacer(":session", "s", ":id", "a", ":name", "a", "*", "a").Replace(r.Path)
		h := request(r.Method, path)
		if r.Path == chat.PathSocket {
			h = request(r.Method, path, "Connection", "Upgrade", "Upgrade", "websocket")
		}
		lease := func(key string) (LimitAnswer, bool) {
			asked = append(asked, key)
			return LimitAnswer{Allowed: true, Remaining: 7}, true
		}
		d := c.Decide(h, Facts{Lease: lease})
		reads := r.Method == "GET" && r.Scope == chat.ScopeRead && r.Limit == chat.LimitAPI && r.Path != chat.PathSocket
		if reads != (len(asked) == 1 && asked[0] == "api:alice") || reads != (d.Forward != nil) || reads && d.Header.Get("RateLimit-Remaining") != "7" {
			t.Errorf("%v: it asked for shares of %v, and %+v; want a share: %v", r, asked, d, reads)
		}
		if d.Ask != nil && d.Ask.Limit != nil && d.Ask.Limit.OnlyReads {
			t.Errorf("%v asks as if it only read", r)
		}
	}
	h := request("GET", "/api/stats")
	none := func(string) (LimitAnswer, bool) { return LimitAnswer{}, false }
	if d := c.Decide(h, Facts{Lease: none}); d.Ask == nil || d.Ask.Limit == nil || !d.Ask.Limit.OnlyReads {
		t.Errorf("without a share: got %+v, want the question", d)
	}
	never := func(string) (LimitAnswer, bool) {
		t.Error("a request that was counted was counted again")
		return LimitAnswer{}, false
	}
	if d := c.Decide(h, Facts{Lease: never, Limits: map[string]LimitAnswer{"api:alice": {Allowed: true}}}); d.Forward == nil {
		t.Errorf("counted already: got %+v", d)
	}
	for _, secret := range []string{"", "Bearer wrong-token-1234"} {
		if d := c.Decide(request("GET", "/api/stats", "Authorization", secret), Facts{Lease: never}); d.Forward != nil {
			t.Errorf("%q: got %+v", secret, d)
		}
	}
}

func TestOnlyWrongCredentialsAreCounted(t *testing.T) {
	c := newCore(t, func(cfg *Config) { cfg.Proxies, _ = access.ParseProxies("192.0.2.0/24") })
	var asked []string
	full := Facts{Limit: func(q LimitQuestion) LimitAnswer {
		asked = append(asked, q.Key)
		return LimitAnswer{Allowed: q.Class != "auth"}
	}}
	for _, tc := range []struct {
		authorization string
		status        int
		asks          []string
	}{
		{"", 401, nil},
		{"Basic eDp5", 401, nil},
		{"Bearer", 401, nil},
		{"bearer wrong-token-1234", 429, []string{"auth:203.0.113.9"}},
		{"Bearer lcs_e30.AAAA", 429, []string{"auth:203.0.113.9"}},
		{"BEARER " + aliceToken, 0, []string{"api:alice"}},
	} {
		asked = nil
		d := c.Decide(request("GET", "/api/stats", "Authorization", tc.authorization, "X-Forwarded-For", "203.0.113.9"), full)
		status := 0
		if d.Forward == nil {
			status, _ = refusal(t, d)
		}
		if status != tc.status || !slices.Equal(asked, tc.asks) {
			t.Errorf("%q: got %d after asking %v, want %d and %v", tc.authorization, status, asked, tc.status, tc.asks)
		}
	}
}

func TestAPanicIs500AndTheNextRequestWorks(t *testing.T) {
	c := newCore(t, nil)
	c.echo.GET("/panic", func(echo.Context) error { panic("boom") })
	c.echo.GET("/error", func(echo.Context) error { return errors.New("secret cause") })
	for _, path := range []string{"/panic", "/error"} {
		d := c.Decide(request("GET", path), Facts{})
		if status, code := refusal(t, d); status != 500 || code != "internal" || strings.Contains(string(d.Respond.Body), "secret") || strings.Contains(string(d.Respond.Body), "boom") {
			t.Errorf("%s: %d %s %s", path, status, code, d.Respond.Body)
		}
		if d := c.Decide(request("GET", "/health"), Facts{}); d.Respond.Status != 200 {
			t.Errorf("after %s: %+v", path, d.Respond)
		}
	}
}

func TestRequestIDs(t *testing.T) {
	c := newCore(t, nil)
	for sent, want := range map[string]string{"": "id-0123456789", "abc.DEF_1-2": "abc.DEF_1-2", "has space": "id-0123456789", strings.Repeat("x", 65): "id-0123456789", "a\nb": "id-0123456789"} {
		h := request("GET", "/health")
		h.Header["X-Request-Id"] = []string{sent}
		if d := c.Decide(h, Facts{}); d.RequestID != want || d.Header.Get("X-Request-Id") != want {
			t.Errorf("%q: got %q", sent, d.RequestID)
		}
	}
}

func TestPrivateHeadersAreNamedForDropping(t *testing.T) {
	d := newCore(t, nil).Decide(request("GET", "/api/stats", "Cookie", "a=b", "X-LoongClaw-Pass", "forged", "cf-container-target-port", "1", "X-Forwarded-For", "1.1.1.1", "Accept", "x"), generous())
	slices.Sort(d.Forward.Drop)
	want := []string{"Authorization", "Cf-Container-Target-Port", "Cookie", "X-Forwarded-For", "X-Loongclaw-Pass"}
	if diff := cmp.Diff(want, d.Forward.Drop); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTransportSecurityOnlyWhereItHolds(t *testing.T) {
	c := newCore(t, nil)
	for _, tc := range []struct {
		host string
		tls  bool
		want bool
	}{{"gw.example.com", true, true}, {"gw.example.com", false, false}, {"localhost", true, false}} {
		h := request("GET", "/")
		h.Host, h.TLS = tc.host, tc.tls
		if got := c.Decide(h, Facts{}).Header.Get("Strict-Transport-Security") != ""; got != tc.want {
			t.Errorf("%+v: got %v", tc, got)
		}
	}
	h := request("GET", "/")
	h.Host = "evil.com; script-src *"
	if csp := c.Decide(h, Facts{}).Header.Get("Content-Security-Policy"); strings.Contains(csp, "evil") || !strings.Contains(csp, "connect-src 'self';") {
		t.Errorf("a Host reached the policy: %s", csp)
	}
}

func TestPassesAreReusedForATimeAndBounded(t *testing.T) {
	p := newPasses(passKey)
	id := Identity{User: "alice", Scopes: []string{"read"}}
	first, _ := p.sign(id, "GET", "/a", start)
	if again, _ := p.sign(id, "GET", "/a", start.Add(passReuse-1)); again != first {
		t.Error("not reused")
	}
	for _, other := range []func() (string, error){
		func() (string, error) { return p.sign(id, "POST", "/a", start) },
		func() (string, error) { return p.sign(id, "GET", "/b", start) },
		func() (string, error) {
			return p.sign(Identity{User: "bob", Scopes: id.Scopes}, "GET", "/a", start)
		},
		func() (string, error) {
			return p.sign(Identity{User: "alice", Scopes: []string{"chat"}}, "GET", "/a", start)
		},
		func() (string, error) { return p.sign(id, "GET", "/a", start.Add(-time.Hour)) },
		func() (string, error) { return p.sign(id, "GET", "/c", start) },
	} {
		if got, _ := other(); got == first {
			t.Error("a pass was reused where it must not be")
		}
	}
	_, _ = p.sign(id, "GET", "/a", start) // the clock that was set back took its place
	if late, _ := p.sign(id, "GET", "/a", start.Add(passReuse)); late == first {
		t.Error("a pass was reused after its time")
	}
	for i := range 3 * passBound {
		_, _ = p.sign(id, "GET", fmt.Sprint("/", i), start)
	}
	if n := len(p.now) + len(p.old); n > 2*passBound {
		t.Errorf("%d passes are kept", n)
	}
}

func TestPlaceSpreadsAndMovesLittle(t *testing.T) {
	three := []string{"http://a", "http://b", "http://c"}
	count := map[string]int{}
	moved := 0
	place := func(user string, urls []string) string {
		var all []Agent
		for _, url := range urls {
			all = append(all, Agent{URL: url})
		}
		return rank(user, all)[0]
	}
	for i := range 3000 {
		user := fmt.Sprint("user", i)
		at := place(user, three)
		count[at]++
		if now := place(user, []string{"http://c", "http://a"}); now != at {
			moved++
			if at != "http://b" {
				t.Fatalf("%s moved from %s to %s", user, at, now)
			}
		}
	}
	for a, n := range count {
		if n < 850 || n > 1150 {
			t.Errorf("%s has %d of 3000", a, n)
		}
	}
	if moved != count["http://b"] {
		t.Errorf("%d moved, %d were on the agent that left", moved, count["http://b"])
	}
}

func FuzzDecide(f *testing.F) {
	c := newCore(f, nil)
	f.Add("GET", "/api/history/x", "localhost", "Bearer "+aliceToken)
	f.Add("POST", "/assets/%2e%2e", "a", "")
	f.Add("OPTIONS", "*", "", "x")
	f.Fuzz(func(t *testing.T, method, target, host, authorization string) {
		d := c.Decide(Head{Method: method, Target: target, Host: host, Header: http.Header{"Authorization": {authorization}}}, generous())
		if n := ways(d); n != 1 {
			t.Errorf("%d ways at once: %+v", n, d)
		}
		if d.Asset != nil && (strings.Contains(d.Asset.Name, "..") || strings.HasPrefix(d.Asset.Name, "/") || strings.ContainsAny(d.Asset.Name, "\\%\x00")) {
			t.Errorf("%q leaves the page's folder", d.Asset.Name)
		}
		if d.Forward != nil { // what the agent reads is what the pass is bound to
			path, _, _ := strings.Cut(d.Forward.Target, "?")
			verify(t, d.Forward.Set, d.Forward.Method, path)
		}
		if d.Respond != nil && d.Respond.Status == 500 {
			t.Errorf("500: %s", d.Respond.Body)
		}
	})
}
