package edge

import (
	"encoding/json"
	"html"
	"regexp"
	"strings"
	"testing"
)

var refresh = regexp.MustCompile(`<meta http-equiv="refresh" content="0;url=([^"]*)">`)

// Whom an authorization server sends back comes without the session's cookie: they are
// led here once more from here, and are then who they are.
func TestWhoComesBackIsKnown(t *testing.T) {
	c := newCore(t, nil)
	session, _, err := c.sessions.Mint(c.cfg.Tokens[0], start)
	if err != nil {
		t.Fatal(err)
	}
	const html5, target = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8", `/api/mcp/callback?code=a&state=b%22%3E%3Cscript%3E&iss="><script>`
	browser := func(target string, more ...string) Head {
		h := request("GET", target, append([]string{"Authorization", "", "Accept", html5, "Sec-Fetch-Mode", "navigate"}, more...)...)
		h.TLS = true
		return h
	}
	d := c.Decide(browser(target, "Sec-Fetch-Site", "cross-site"), generous())
	if d.Respond == nil || d.Respond.Status != 200 || d.User != "" || !strings.HasPrefix(d.Header.Get("Content-Type"), "text/html") || !strings.Contains(d.Header.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Fatalf("from elsewhere: %+v", d)
	}
	page := string(d.Respond.Body)
	to := refresh.FindStringSubmatch(page)
	if to == nil || strings.Contains(strings.ToLower(page), "<script") || html.UnescapeString(to[1]) != target+"&again=1" {
		t.Fatalf("the page is %s", page)
	}
	for name, tc := range map[string]struct {
		head Head
		user string // "" is refused, as nobody is known
	}{
		"led here from here":          {browser(html.UnescapeString(to[1]), "Cookie", "__Host-loongclaw="+session, "Sec-Fetch-Site", "same-origin"), "alice"},
		"led here, and nobody":        {browser(html.UnescapeString(to[1]), "Sec-Fetch-Site", "same-origin"), ""},
		"led here, an older browser":  {browser(html.UnescapeString(to[1])), ""},
		"an older one, with a cookie": {browser(target, "Cookie", "__Host-loongclaw="+session), "alice"},
		"a program with a token":      {request("GET", target), "alice"},
		"a program without":           {request("GET", target, "Authorization", ""), ""},
		"a token that only reads":     {request("GET", target, "Authorization", "Bearer "+bobToken), ""},
	} {
		d := c.Decide(tc.head, generous())
		if tc.user == "" && (d.Respond == nil || d.Respond.Status != 401 && d.Respond.Status != 403) || tc.user != "" && (d.Forward == nil || d.User != tc.user) {
			t.Errorf("%s: %+v", name, d)
		}
	}
}

// Agents send people back to where the gateway is, which no client says.
func TestTheAgentLearnsWhereTheGatewayIs(t *testing.T) {
	for _, tc := range []struct{ public, host, want string }{
		{"https://ai.example.com", "gw.example.com", "https://ai.example.com"},
		{"", "gw.example.com", ""},
		{"", "127.0.0.1:8787", "http://127.0.0.1:8787"},
		{"", "localhost:8787", "http://localhost:8787"},
		{"https://ai.example.com", "localhost:8787", "https://ai.example.com"},
	} {
		c := newCore(t, func(cfg *Config) { cfg.PublicURL = tc.public })
		h := request("GET", "/api/mcp/x/authorize", "X-LoongClaw-Public-Url", "https://evil.example")
		h.Host = tc.host
		d := c.Decide(h, generous())
		if d.Forward == nil || d.Forward.Set.Get("X-LoongClaw-Public-Url") != tc.want || !strings.Contains(strings.ToLower(strings.Join(d.Forward.Drop, " ")), "x-loongclaw-public-url") {
			t.Errorf("%+v: %+v", tc, d.Forward)
		}
	}
	if d := newCore(t, nil).Decide(request("GET", "/api/mcp/x/authorize", "Authorization", "Bearer "+bobToken), generous()); d.Respond == nil || d.Respond.Status != 403 {
		t.Errorf("a token that only reads: %+v", d)
	}
}

func TestTheClientsDocument(t *testing.T) {
	for public, status := range map[string]int{"": 404, "http://ai.example.com": 404, "https://ai.example.com": 200} {
		c := newCore(t, func(cfg *Config) { cfg.PublicURL = public })
		d := c.Decide(request("GET", "/api/mcp/client.json", "Authorization", ""), generous())
		if d.Respond == nil || d.Respond.Status != status {
			t.Fatalf("%q: %+v", public, d)
		}
		var doc struct {
			ID   string   `json:"client_id"`
			Back []string `json:"redirect_uris"`
		}
		if err := json.Unmarshal(d.Respond.Body, &doc); status == 200 && (err != nil || doc.ID != public+"/api/mcp/client.json" || len(doc.Back) != 1 || doc.Back[0] != public+"/api/mcp/callback") {
			t.Errorf("%+v, %v", doc, err)
		}
	}
}

// A server may have the name of one of the addresses beside it.
func TestAServerMayBeCalledCallback(t *testing.T) {
	c := newCore(t, nil)
	for _, method := range []string{"PUT", "DELETE"} {
		if d := c.Decide(request(method, "/api/mcp/callback"), generous()); d.Forward == nil {
			t.Errorf("%s: %+v", method, d)
		}
	}
	if d := c.Decide(request("GET", "/api/mcp/callback/authorize"), generous()); d.Forward == nil {
		t.Errorf("%+v", d)
	}
}
