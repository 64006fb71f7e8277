package edge

import (
	"net/http"
	"net/netip"
	"net/textproto"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/gateway/access"
)

// FuzzHeaders: whatever stands in the headers, there is one decision, nobody is let
// in without a credential that was given out, and nothing breaks an answer's lines.
func FuzzHeaders(f *testing.F) {
	c := newCore(f, func(cfg *Config) {
		cfg.Spends = true
		cfg.Proxies = access.Proxies{netip.MustParsePrefix("192.0.2.0/24")}
		cfg.Access = &access.CloudflareAccess{Origin: "https://team.cloudflareaccess.com", Audience: []string{"aud"}}
	})
	sessions, err := access.NewSessions(passKey, c.cfg.Tokens)
	if err != nil {
		f.Fatal(err)
	}
	session, _, err := sessions.Mint(c.cfg.Tokens[0], start.Add(-time.Hour))
	if err != nil {
		f.Fatal(err)
	}
	given := []string{aliceToken, bobToken, session}
	for _, text := range []string{
		"Authorization: Bearer " + aliceToken,
		"Authorization: Bearer x\nAuthorization: Bearer " + bobToken,
		"Cookie: a=1; __Host-loongclaw=" + session + "\nSec-Fetch-Site: same-origin\nX-Forwarded-Proto: https",
		"Cookie: __Host-loongclaw=lcs_e30.e30; loongclaw=\"x\"",
		"Cf-Access-Jwt-Assertion: eyJ.e30.e30\nOrigin: https://app.example.com",
		"Connection: keep-alive, Upgrade\nUpgrade: websocket\nSec-Websocket-Protocol: loongclaw, bearer.x",
		"X-Forwarded-For: 10.0.0.1, ::ffff:1.2.3.4, [::1]:80\nX-Forwarded-Host: a;b\nX-Forwarded-Proto: https",
		"Origin: null\nAccess-Control-Request-Method: POST",
		"X-Request-Id: a\"b",
	} {
		f.Add("GET", "/ws?ticket=lct_e30.e30", "gw.example.com", text)
		f.Add("POST", "/api/chat", "127.0.0.1:8787", text)
		f.Add("OPTIONS", "/", "[::1]", text)
	}
	f.Fuzz(func(t *testing.T, method, target, host, text string) {
		d := c.Decide(Head{Method: method, Target: target, Host: host, RemoteAddr: "192.0.2.1:1", Header: parseLines(text)}, generous())
		if n := ways(d); n != 1 {
			t.Errorf("%d ways at once: %+v", n, d)
		}
		if d.Respond != nil && d.Respond.Status == http.StatusInternalServerError {
			t.Errorf("500: %s", d.Respond.Body)
		}
		in := d.Forward != nil || d.Socket != nil
		if in && !slices.ContainsFunc(given, func(secret string) bool { return strings.Contains(text, secret) }) {
			t.Errorf("%q was let in", text)
		}
		for name, values := range d.Header {
			if strings.ContainsAny(strings.Join(values, ""), "\r\n\x00") {
				t.Errorf("%s: %q breaks a line", name, values)
			}
		}
		if o := d.Header.Get("Access-Control-Allow-Origin"); o != "" && !c.cfg.Origins.Has(o) {
			t.Errorf("the origin %q may read", o)
		}
	})
}

// parseLines makes headers as a host would have read them.
func parseLines(text string) http.Header {
	h := http.Header{}
	for line := range strings.SplitSeq(text, "\n") {
		name, value, ok := strings.Cut(line, ":")
		if ok && !strings.ContainsAny(value, "\r\x00") {
			name = textproto.CanonicalMIMEHeaderKey(strings.TrimSpace(name))
			h[name] = append(h[name], strings.TrimSpace(value))
		}
	}
	return h
}

func ways(d Decision) int {
	n := 0
	for _, is := range []bool{d.Respond != nil, d.Asset != nil, d.Forward != nil, d.Socket != nil, d.Ask != nil} {
		if is {
			n++
		}
	}
	return n
}
