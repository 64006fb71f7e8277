package edge

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/loongclaw/loongclaw/gateway/access"
)

// loginCookie logs in and gives the cookie's name and value, or nothing.
func loginCookie(t *testing.T, head Head, cookie string) string {
	t.Helper()
	c := newCore(t, func(cfg *Config) { cfg.LoginCode = "login-code-123456" })
	head.Body = []byte(`{"code":"login-code-123456"` + cookie + `}`)
	d := c.Decide(head, once())
	if d.Respond == nil || d.Respond.Status != 200 || len(d.Header["Set-Cookie"]) > 1 {
		t.Fatalf("got %+v", d)
	}
	return d.Header.Get("Set-Cookie")
}

func TestLoginSetsACookie(t *testing.T) {
	secure := request("POST", "/api/login", "Authorization", "")
	secure.TLS = true
	local := request("POST", "/api/login", "Authorization", "")
	local.Host = "127.0.0.1:8787"
	plain := request("POST", "/api/login", "Authorization", "")
	for name, tc := range map[string]struct {
		head   Head
		cookie string
		want   string // "" is none
	}{
		"HTTPS":            {secure, `,"cookie":true`, "__Host-loongclaw=lcs_…; Path=/; Max-Age=2592000; HttpOnly; Secure; SameSite=Strict"},
		"loopback":         {local, `,"cookie":true`, "loongclaw-8787=lcs_…; Path=/; Max-Age=2592000; HttpOnly; SameSite=Strict"},
		"plain, elsewhere": {plain, `,"cookie":true`, ""},
		"nobody asked":     {secure, "", ""},
		"asked not to":     {secure, `,"cookie":false`, ""},
	} {
		got := loginCookie(t, tc.head, tc.cookie)
		if name, rest, ok := strings.Cut(got, "=lcs_"); ok {
			_, rest, _ = strings.Cut(rest, ";")
			got = name + "=lcs_…;" + rest
		}
		if got != tc.want {
			t.Errorf("%s: got %q, want %q", name, got, tc.want)
		}
	}
}

func TestCookieSpeaksForItsUser(t *testing.T) {
	c := newCore(t, nil)
	session, g, err := c.sessions.Mint(c.cfg.Tokens[0], start)
	if err != nil {
		t.Fatal(err)
	}
	with := func(method, target, cookie string, more ...string) Head {
		h := request(method, target, append([]string{"Authorization", "", "Cookie", cookie}, more...)...)
		h.TLS = true
		return h
	}
	good := "a=b; __Host-loongclaw=" + session
	for name, h := range map[string]Head{
		"reading":                 with("GET", "/api/stats", good),
		"changing, own page":      with("DELETE", "/api/history", good, "Sec-Fetch-Site", "same-origin"),
		"changing, typed":         with("DELETE", "/api/history", good, "Sec-Fetch-Site", "none"),
		"changing, older browser": with("DELETE", "/api/history", good, "Origin", "https://gw.example.com"),
	} {
		if d := c.Decide(h, generous()); d.Forward == nil || d.User != "alice" || !strings.Contains(strings.Join(d.Forward.Drop, " "), "Cookie") {
			t.Errorf("%s: got %+v", name, d)
		}
	}
	upgraded := []string{"Connection", "Upgrade", "Upgrade", "websocket"}
	if d := c.Decide(with("GET", "/ws", good, append(upgraded, "Origin", "https://gw.example.com")...), generous()); d.Socket == nil || d.Socket.Identity.Expires != g.Expires {
		t.Errorf("socket: got %+v", d)
	}
	plain := with("GET", "/api/stats", good)
	plain.TLS = false
	for name, tc := range map[string]struct {
		head   Head
		status int
	}{
		"changing, nobody tells":   {with("DELETE", "/api/history", good), 403},
		"changing, other site":     {with("DELETE", "/api/history", good, "Sec-Fetch-Site", "cross-site", "Origin", "https://gw.example.com"), 403},
		"changing, same site":      {with("POST", "/api/chat", good, "Sec-Fetch-Site", "same-site"), 403},
		"changing, foreign origin": {with("PUT", "/api/files/a", good, "Origin", "https://evil.example"), 403},
		"changing, listed origin":  {with("PATCH", "/api/sessions/a", good, "Origin", "https://app.example.com"), 403},
		"changing, null origin":    {with("DELETE", "/api/history", good, "Origin", "null"), 403},
		"socket, nobody tells":     {with("GET", "/ws", good, upgraded...), 403},
		"socket, listed origin":    {with("GET", "/ws", good, append(upgraded, "Origin", "https://app.example.com")...), 403},
		"cookie of the plain name": {with("GET", "/api/stats", "loongclaw="+session), 401},
		"without TLS":              {plain, 401},
		"forged":                   {with("GET", "/api/stats", good[:len(good)-1]), 401},
		"a static token":           {with("GET", "/api/stats", "__Host-loongclaw="+aliceToken), 401},
		"beside a wrong bearer":    {with("GET", "/api/stats", good, "Authorization", "Bearer wrong-wrong-wrong"), 401},
	} {
		if status, code := refusal(t, c.Decide(tc.head, generous())); status != tc.status {
			t.Errorf("%s: got %d %s, want %d", name, status, code, tc.status)
		}
	}
	// A login that has ended is no guess.
	facts := generous()
	facts.Limit = func(q LimitQuestion) LimitAnswer { t.Errorf("counted as %s", q.Key); return LimitAnswer{} }
	if status, _ := refusal(t, c.Decide(with("GET", "/api/stats", "__Host-loongclaw=lcs_old.old"), facts)); status != 401 {
		t.Errorf("ended: got %d", status)
	}
}

func TestLoginForAForeignPageSpendsNothing(t *testing.T) {
	c := newCore(t, func(cfg *Config) { cfg.LoginCode = "login-code-123456" })
	h := request("POST", "/api/login", "Authorization", "", "Sec-Fetch-Site", "cross-site")
	h.Body = []byte(`{"code":"login-code-123456","cookie":true}`)
	facts := generous()
	facts.Spend = func(SpendQuestion) bool { t.Error("it was spent"); return true }
	if d := c.Decide(h, facts); d.Header.Get("Set-Cookie") != "" || d.Respond.Status != 403 {
		t.Errorf("got %+v", d)
	}
}

func TestLogout(t *testing.T) {
	c := newCore(t, nil)
	h := request("POST", "/api/logout", "Authorization", "", "Sec-Fetch-Site", "same-origin")
	h.TLS = true
	d := c.Decide(h, Facts{})
	if want := "__Host-loongclaw=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Strict"; d.Respond == nil || d.Respond.Status != http.StatusNoContent || d.Header.Get("Set-Cookie") != want {
		t.Errorf("got %+v, want %s", d, want)
	}
	h.Header.Set("Sec-Fetch-Site", "cross-site")
	if d := c.Decide(h, Facts{}); d.Respond.Status != 403 || d.Header.Get("Set-Cookie") != "" {
		t.Errorf("foreign page: got %+v", d)
	}
	if access.SessionLifetime.Seconds() != 2592000 {
		t.Error("the tests above say 30 days")
	}
}

// A page trades a token that was typed in for a session, and keeps neither.
func TestATokenIsTradedForASession(t *testing.T) {
	c := newCore(t, nil) // without a login code
	ask := func(secret, body string, more ...string) Decision {
		h := request("POST", "/api/login", append([]string{"Authorization", "Bearer " + secret}, more...)...)
		h.TLS, h.Body = true, []byte(body)
		return c.Decide(h, generous())
	}
	var got struct {
		Token, User string
		Cookie      bool
	}
	d := ask(bobToken, `{"cookie":true}`, "Sec-Fetch-Site", "same-origin")
	if d.Respond == nil || d.Respond.Status != 200 || json.Unmarshal(d.Respond.Body, &got) != nil || got.User != "bob" || !got.Cookie {
		t.Fatalf("got %+v", d)
	}
	g, ok := c.sessions.Find(got.Token, start)
	if !ok || g.User != "bob" || len(g.Scopes) != 1 || !strings.HasPrefix(d.Header.Get("Set-Cookie"), "__Host-loongclaw="+got.Token+"; ") {
		t.Errorf("got the session %+v and the cookie %q", g, d.Header.Get("Set-Cookie"))
	}
	// A session is its own, until its own end.
	session := got.Token
	if d = ask(session, `{"cookie":true}`); !strings.Contains(string(d.Respond.Body), session) || !strings.Contains(d.Header.Get("Set-Cookie"), "Max-Age=2592000;") {
		t.Errorf("got %+v", d)
	}
	if d = ask(bobToken, `{}`); d.Respond.Status != 200 || d.Header.Get("Set-Cookie") != "" || strings.Contains(string(d.Respond.Body), "cookie") {
		t.Errorf("a cookie that nobody asked for: %+v", d)
	}
	for name, tc := range map[string]struct {
		d      Decision
		status int
	}{
		"a wrong token":  {ask("wrong-wrong-wrong", `{"cookie":true}`), 401},
		"a foreign page": {ask(bobToken, `{"cookie":true}`, "Sec-Fetch-Site", "cross-site"), 403},
		"with a code":    {ask(bobToken, `{"code":"login-code-123456"}`), 404},
		"no JSON":        {ask(bobToken, ``), 400},
		"nothing at all": {ask("", `{}`, "Authorization", ""), 404},
	} {
		if status, code := refusal(t, tc.d); status != tc.status || tc.d.Header.Get("Set-Cookie") != "" {
			t.Errorf("%s: got %d %s, want %d", name, status, code, tc.status)
		}
	}
}
