package edge

import (
	"strings"
	"testing"
)

func upgrade(target string, more ...string) Head {
	return request("GET", target, append([]string{"Connection", "keep-alive, Upgrade", "Upgrade", "WebSocket"}, more...)...)
}

func TestSockets(t *testing.T) {
	c := newCore(t, nil)
	for _, path := range []string{"/ws", "/"} {
		d := c.Decide(upgrade(path, "Sec-WebSocket-Protocol", "loongclaw"), generous())
		if d.Socket == nil || d.Socket.Identity.User != "alice" || d.Socket.Subprotocol != "loongclaw" || d.Socket.MaxFrame != MaxFrame {
			t.Errorf("%s: got %+v", path, d)
		}
	}
	d := c.Decide(upgrade("/ws", "Authorization", "", "Sec-WebSocket-Protocol", "loongclaw, bearer."+bobToken), generous())
	if d.Socket == nil || d.Socket.Identity.User != "bob" || strings.Contains(d.Socket.Subprotocol, bobToken) {
		t.Errorf("subprotocol: got %+v", d)
	}
	for name, tc := range map[string]struct {
		head   Head
		status int
		code   string
	}{
		"no upgrade":     {request("GET", "/ws"), 400, "unsupported"},
		"no credential":  {upgrade("/ws", "Authorization", ""), 401, "unauthorized"},
		"token in URL":   {upgrade("/ws?ticket="+aliceToken, "Authorization", ""), 401, "unauthorized"},
		"foreign origin": {upgrade("/ws", "Origin", "https://evil.example"), 403, "origin_refused"},
		"null origin":    {upgrade("/ws", "Origin", "null"), 403, "origin_refused"},
		"tickets":        {request("POST", "/api/tickets"), 404, "not_found"},
	} {
		if status, code := refusal(t, c.Decide(tc.head, generous())); status != tc.status || code != tc.code {
			t.Errorf("%s: got %d %s, want %d %s", name, status, code, tc.status, tc.code)
		}
	}
	for _, origin := range []string{"https://gw.example.com", "https://app.example.com"} {
		if d := c.Decide(upgrade("/ws", "Origin", origin), generous()); d.Socket == nil {
			t.Errorf("%s: got %+v", origin, d)
		}
	}
	if d := c.Decide(upgrade("/ws"), Facts{}); d.Ask == nil || d.Ask.Limit.Key != "api:alice" {
		t.Errorf("got %+v, want a question", d)
	}
}

func TestLoginThroughQuestions(t *testing.T) {
	const code = "login-code-123456"
	c := newCore(t, func(cfg *Config) { cfg.LoginCode = code })
	h := request("POST", "/api/login", "Authorization", "")
	if d := c.Decide(h, Facts{}); d.Ask == nil || d.Ask.Body != maxLogin {
		t.Fatalf("got %+v, want a question for the body", d)
	}
	h.Body = []byte(`{"code":"wrong"}`)
	if d := c.Decide(h, Facts{}); d.Ask == nil || d.Ask.Limit == nil || d.Ask.Limit.Key != "auth:192.0.2.7" {
		t.Errorf("wrong code: got %+v", d)
	}
	h.Body = []byte(`{"code":"` + code + `"}`)
	d := c.Decide(h, Facts{})
	if d.Ask == nil || d.Ask.Spend == nil || strings.Contains(d.Ask.Spend.Key, code) {
		t.Fatalf("right code: got %+v", d)
	}
	if got := c.Decide(h, Facts{Spent: map[string]bool{d.Ask.Spend.Key: true}}); got.Respond == nil || got.Respond.Status != 200 || got.User != "alice" {
		t.Errorf("first time: %+v", got)
	}
	again := generous()
	again.Spent = map[string]bool{d.Ask.Spend.Key: false}
	if status, _ := refusal(t, c.Decide(h, again)); status != 401 {
		t.Errorf("second time: %d", status)
	}
}
