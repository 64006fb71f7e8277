package edgetest

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// headerCases are what answers say to browsers, and what clients say that must
// come to nothing.
func headerCases() []testCase {
	return []testCase{
		{"every answer varies with Origin and may not be sniffed or framed", everyAnswer},
		{"the page's policy asks for Trusted Types and allows nothing foreign", trustedTypes},
		{"on loopback nothing demands HTTPS", noTransportSecurity},
		{"a preflight is kept for a while, for every path, and never goes further", preflightStays},
		{"a preflight with a credential is no more than one without", preflightWithCredential},
		{"headers that only a proxy or a gateway may say do not reach the agent", spoofedHeaders},
		{"a spoofed address does not change who is counted", spoofedAddress},
		{"a spoofed host is not the page's own", spoofedHost},
		{"a Host that is no name stands in no answer", badHost},
		{"a path with encoded slashes and dots is no other path", oddPaths},
	}
}

func everyAnswer(t *testing.T, s *suite) {
	for _, c := range []call{
		{path: "/"},
		{path: s.pageFile(t)},
		{path: chat.PathHealth},
		{path: "/nothing"},
		{path: chat.PathStats},
		{path: chat.PathStats, token: alice},
		{path: chat.PathStats, token: alice, header: map[string]string{"Origin": origin}},
		{method: http.MethodOptions, path: chat.PathStats},
		{method: http.MethodPut, path: chat.PathChat, token: alice},
	} {
		a := s.send(t, c)
		static := strings.HasPrefix(c.path, "/assets/") // the same for everybody
		if vary := strings.Join(a.header.Values("Vary"), ", "); !static && !strings.Contains(vary, "Origin") {
			t.Errorf("%s %s: Vary: got %q, want Origin in it", c.method, c.path, vary)
		}
		a.wantHeader(t, "X-Content-Type-Options", "nosniff")
		a.wantHeader(t, "Referrer-Policy", "no-referrer")
		if csp := a.header.Get("Content-Security-Policy"); !strings.Contains(csp, "frame-ancestors 'none'") || !strings.Contains(csp, "default-src 'none'") {
			t.Errorf("%s %s: Content-Security-Policy: got %q", c.method, c.path, csp)
		}
		for _, name := range []string{"Server", "X-Powered-By"} {
			if got := a.header.Get(name); got != "" {
				t.Errorf("%s %s: %s tells %q", c.method, c.path, name, got)
			}
		}
	}
}

func trustedTypes(t *testing.T, s *suite) {
	for _, path := range []string{"/", "/s/one"} {
		a := s.send(t, call{path: path})
		csp := a.header.Get("Content-Security-Policy")
		for _, want := range []string{"require-trusted-types-for 'script'", "trusted-types ", "base-uri 'none'", "form-action 'none'", "script-src 'self';", "connect-src 'self' ws://" + strings.TrimPrefix(s.base, "http://")} {
			if !strings.Contains(csp, want) {
				t.Errorf("%s: Content-Security-Policy: got %q, want %q in it", path, csp, want)
			}
		}
		for _, bad := range []string{"unsafe-", "*", "http://", "https://", "blob:"} {
			if strings.Contains(csp, bad) {
				t.Errorf("%s: Content-Security-Policy: got %q, with %q in it", path, csp, bad)
			}
		}
		a.wantHeader(t, "Cross-Origin-Opener-Policy", "same-origin")
		for _, want := range []string{"camera=()", "microphone=()", "geolocation=()"} {
			if got := a.header.Get("Permissions-Policy"); !strings.Contains(got, want) {
				t.Errorf("%s: Permissions-Policy: got %q, want %s in it", path, got, want)
			}
		}
	}
}

func noTransportSecurity(t *testing.T, s *suite) {
	for _, path := range []string{"/", chat.PathHealth} {
		s.send(t, call{path: path}).wantHeader(t, "Strict-Transport-Security", "")
	}
}

// asks is a browser's question before a request.
func asks(path, from string) call {
	return call{method: http.MethodOptions, path: path, header: map[string]string{
		"Origin": from, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization, idempotency-key",
	}}
}

func preflightStays(t *testing.T, s *suite) {
	for _, path := range []string{chat.PathChat, "/api/files/a", "/v1/chat/completions", "/nothing"} {
		a := s.send(t, asks(path, origin))
		a.wantStatus(t, http.StatusNoContent)
		a.wantHeader(t, "Access-Control-Allow-Origin", origin)
		wantNatural(t, a, "Access-Control-Max-Age")
		if got := a.header.Get("Access-Control-Allow-Headers"); !strings.Contains(got, "Idempotency-Key") {
			t.Errorf("%s: Access-Control-Allow-Headers: got %q, want Idempotency-Key in it", path, got)
		}
	}
	for _, from := range []string{"https://evil.example.com", "null", origin + ".evil.example.com", strings.ToUpper(origin), "http://app.example.com", origin + ":8443"} {
		a := s.send(t, asks(chat.PathChat, from))
		for _, name := range []string{"Access-Control-Allow-Origin", "Access-Control-Allow-Methods", "Access-Control-Allow-Headers", "Access-Control-Max-Age", "Access-Control-Allow-Credentials"} {
			if got := a.header.Get(name); got != "" {
				t.Errorf("%s: %s: got %q, want none", from, name, got)
			}
		}
	}
	s.wantAgentUntouched(t)
}

func preflightWithCredential(t *testing.T, s *suite) {
	for _, token := range []string{alice, stolen} {
		c := asks(chat.PathChat, origin)
		c.token = token
		s.send(t, c).wantStatus(t, http.StatusNoContent)
	}
	// OPTIONS without the question is no preflight, and not the agent's, either.
	s.send(t, call{method: http.MethodOptions, path: chat.PathChat, token: alice})
	s.wantAgentUntouched(t)
}

func spoofedHeaders(t *testing.T, s *suite) {
	with := map[string]string{"X-Kept": "yes"}
	for _, name := range []string{
		"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Prefix", "Forwarded", "X-Real-Ip", "True-Client-Ip",
		"Cf-Connecting-Ip", "Cf-Ipcountry", "Cf-Ray", "Cf-Visitor", "Cf-Worker", "Cf-Access-Client-Id", "Cf-Access-Client-Secret", "Cf-Access-Authenticated-User-Email",
		"Cf-Container-Target-Port", "X-Loongclaw-Pass", "X-Loongclaw-User", "X-Loongclaw-Public-Port", "X-Loongclaw-Identity", "X-Loongclaw-Door",
	} {
		with[name] = "203.0.113.66"
	}
	s.send(t, call{path: chat.PathConfig, token: alice, header: with}).wantStatus(t, http.StatusOK)
	got := s.agent.only(t)
	for name, values := range got.header {
		if strings.Contains(strings.Join(values, " "), "203.0.113.66") {
			t.Errorf("the agent got the spoofed %s", name)
		}
	}
	if got.header.Get("X-Kept") != "yes" {
		t.Error("the agent lacks what was not spoofed")
	}
	if p := s.wantPass(t, http.MethodGet, chat.PathConfig); p.User != "alice" {
		t.Errorf("got the pass %+v, want alice's", p)
	}
}

func spoofedAddress(t *testing.T, s *suite) {
	addr := s.otherAddr()
	s.guess(t, addr).wantFault(t, fault.CodeRateLimited)
	for _, name := range []string{"X-Forwarded-For", "CF-Connecting-IP", "X-Real-IP", "True-Client-IP", "X-Client-IP", "Forwarded"} {
		if name == s.target.AddrHeader {
			continue // the one that this host's proxy says
		}
		s.send(t, call{path: chat.PathStats, token: stolen, header: map[string]string{s.target.AddrHeader: addr, name: "203.0.113.9"}}).
			wantFault(t, fault.CodeRateLimited)
	}
	s.wantAgentUntouched(t)
}

func spoofedHost(t *testing.T, s *suite) {
	for _, with := range []map[string]string{
		{"Origin": "https://evil.example.com", "Forwarded": "host=evil.example.com"},
		{"Origin": "https://evil.example.com", "X-Original-Host": "evil.example.com", "X-Host": "evil.example.com"},
		{"Origin": "null"},
		{"Origin": s.base + ".evil.example.com"},
		{"Origin": s.base + "@evil.example.com"},
	} {
		s.upgrade(t, alice, with).wantFault(t, fault.CodeOriginRefused)
	}
	s.wantAgentUntouched(t)
}

// rawAnswer sends text as it is and reads an answer's head and body.
func (s *suite) rawAnswer(t *testing.T, text string) (head, body string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", strings.TrimPrefix(s.base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	end, _ := ctx.Deadline()
	_ = conn.SetDeadline(end)
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	all, _ := io.ReadAll(bufio.NewReader(conn)) // a reset after the answer is one, too
	head, body, _ = strings.Cut(string(all), "\r\n\r\n")
	return head, body
}

func badHost(t *testing.T, s *suite) {
	for _, host := range []string{"a;script-src *", "evil.example.com/path", `a"><script>`, "user@evil.example.com"} {
		head, _ := s.rawAnswer(t, "GET / HTTP/1.1\r\nHost: "+host+"\r\nConnection: close\r\n\r\n")
		if strings.HasPrefix(head, "HTTP/1.1 2") && (strings.Contains(head, "script-src *") || strings.Contains(head, "/path") || strings.Contains(head, "<script>") || strings.Contains(head, "user@")) {
			t.Errorf("Host %q stands in the answer:\n%s", host, head)
		}
	}
}

func oddPaths(t *testing.T, s *suite) {
	for _, path := range []string{
		"/api%2Fstats", "/api%2fstats", "/%61pi/stats", "/api/stats%00", "/api/stats/", "//api/stats", "/api//stats", "/API/STATS",
		"/health%2F..%2Fapi%2Fstats", "/assets/..%2Fapi%2Fstats", "/api/stats;x=1", `/api\stats`, "/api/%2e%2e/stats", "/api/..;/stats",
	} {
		s.agent.reset()
		a := s.send(t, call{path: path}) // without a credential nothing opens the agent
		if a.status == http.StatusOK {
			t.Errorf("%s: got 200 without a credential: %.100s", path, a.body)
		}
		s.wantAgentUntouched(t)
		s.send(t, call{path: path, token: alice})
		for _, got := range s.agent.requests() { // a host that tidies a path does so before the pass is bound to it
			if got.uri != chat.PathStats {
				t.Errorf("%s: the agent got %s", path, got.uri)
			}
			s.wantPass(t, http.MethodGet, chat.PathStats)
		}
	}
}
