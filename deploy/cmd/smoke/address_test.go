package main

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestAnAddressAndATokenAreJudgedFirst(t *testing.T) {
	const good = "a-good-token-of-alice"
	for _, tt := range []struct{ name, address, token, makeflags, want string }{
		{"no address", "", good, "", "an address is missing"},
		{"a name alone", "ai.example.com", good, "", "write it with https://"},
		{"http", "http://ai.example.com", good, "", "over http the token could be read"},
		{"http to a name like loopback", "http://localhost.example.com", good, "", "over http the token could be read"},
		{"http to a number like loopback", "http://127.0.0.1.example.com", good, "", "over http the token could be read"},
		{"http to the network", "http://192.168.1.2:8787", good, "", "over http the token could be read"},
		{"another scheme", "ftp://ai.example.com", good, "", "this is no address"},
		{"a credential in it", "https://alice:" + good + "@ai.example.com", good, "", "a credential stands in the address"},
		{"a path", "https://ai.example.com/s/1", good, "", "there is something behind the host"},
		{"a login link", "https://ai.example.com/#login=" + good, good, "", "there is something behind the host"},
		{"a question mark", "https://ai.example.com?", good, "", "there is something behind the host"},
		{"blanks", "https://ai example.com", good, "", "this is no address"},
		{"no token", "https://ai.example.com", "", "", "export SMOKE_TOKEN"},
		{"an entry", "https://ai.example.com", "alice:" + good, "", "an entry of LOONGCLAW_TOKENS"},
		{"two lines", "https://ai.example.com", good + "\n", "", "a blank or a character"},
		{"a token among the arguments", "https://ai.example.com", good, "-- SMOKE_TOKEN=" + good, "everybody on this machine can see"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			env := map[string]string{tokenVariable: tt.token, "MAKEFLAGS": tt.makeflags}
			var out strings.Builder
			code := run(t.Context(), []string{"-address", tt.address, "-patience", "1s"}, func(name string) string { return env[name] }, &out)
			if code != exitUnasked || !strings.Contains(out.String(), tt.want) || !strings.Contains(out.String(), "\nNext: ") {
				t.Errorf("it ended with %d and said: %s\nwant %q", code, out.String(), tt.want)
			}
			if strings.Contains(out.String(), good) || strings.Contains(out.String(), "example.com") && !strings.Contains(out.String(), "such as https://ai.example.com") {
				t.Errorf("it repeated what may be private: %s", out.String())
			}
		})
	}
}

// neighbour is a server that is no gateway, and remembers whether it was shown the
// token.
func neighbour(t *testing.T, answer http.HandlerFunc) (base string, shown func() bool) {
	t.Helper()
	var mu sync.Mutex
	var got bool
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		got = got || strings.Contains(r.Header.Get("Authorization"), token)
		mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL, func() bool { mu.Lock(); defer mu.Unlock(); return got }
}

func says(status int, kind, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

func leads(to string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, http.StatusFound) }
}

// What answers in a gateway's place gets its name, one request and no token.
func TestNeighboursAreNamed(t *testing.T) {
	const page = "<!doctype html><html><title>Welcome to the hotel</title></html>"
	for _, tt := range []struct {
		name   string
		answer http.HandlerFunc
		want   string
	}{
		{"a captive portal", says(200, "text/html", page), "the sign-in page of this network"},
		{"a portal that calls its page JSON", says(200, "application/json", page), "the sign-in page of this network"},
		{"a portal that redirects", leads("http://login.hotel.example/"), "leads to an address without TLS"},
		{"another address", leads("https://other.example.com/"), "it leads to another address"},
		{"Cloudflare Access", leads("https://bears.cloudflareaccess.com/cdn-cgi/access/login"), "Cloudflare Access stands before it"},
		{"a bot check", says(403, "text/html", page), "lets nobody in"},
		{"a password of a proxy", says(401, "text/plain", "Unauthorized"), "lets nobody in"},
		{"a proxy without a gateway", says(502, "text/html", page), "reaches no gateway"},
		{"a Worker that failed", says(500, "text/plain", "error code: 1101"), "Cloudflare answers in the Worker's place"},
		{"another program", says(404, "application/json", `{"detail":"Not Found"}`), "another program answers"},
		{"a program that is well", says(200, "application/json", `{"status":"UP"}`), "another program answers"},
		{"an old version", says(200, "application/json", `{"status":"ok","agent":"bear","timestamp":"2026-01-01T00:00:00.000Z"}`), "a program before 0.2"},
		{"a gateway that is refused its configuration", says(503, "application/json", `{"error":"x","code":"unavailable","hint":"set y","requestId":"z"}`), "it is not well: unavailable (set y)"},
		{"words for the terminal", says(503, "application/json", `{"error":"x","code":"unavailable","hint":"\u001b[31msee https://evil.example/x","requestId":"z"}`), "it is not well: unavailable (·[31msee [address]"},
		{"nothing", says(204, "", ""), "another program answers"},
		{"an empty page", says(200, "text/html", ""), "the sign-in page of this network"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			base, shown := neighbour(t, tt.answer)
			got := visitTo(t, base, token, "-patience", "5s")
			got.holds(t, tt.want, "0 ok, 1 differ", "Next: ")
			if how := got.outcomes(); got.code != exitDiffers || how[reached] != differs || how["the other questions"] != unasked {
				t.Errorf("it ended with %d: %v", got.code, how)
			}
			if shown() {
				t.Error("it was shown the token")
			}
			if strings.ContainsRune(got.text, '\x1b') || strings.Contains(got.text, "hotel.example") || strings.Contains(got.text, "evil.example") {
				t.Errorf("it repeats what it was told:\n%s", got.text)
			}
		})
	}
}

// What does not answer is told apart, too.
func TestSilenceIsNamed(t *testing.T) {
	self := httptest.NewTLSServer(says(200, "text/html", ""))
	t.Cleanup(self.Close)
	plain, _ := neighbour(t, says(200, "text/html", ""))
	never, _ := neighbour(t, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-time.After(3 * time.Second):
		}
	})
	for name, tt := range map[string]struct{ base, want, patience string }{
		"a certificate of its own":  {self.URL, "its certificate is not good", "10s"},
		"no TLS where it should be": {strings.Replace(plain, "http://", "https://", 1), "speaks no TLS", "10s"},
		"never an answer":           {never, "nothing answered in time", "500ms"},
		"nobody listens":            {"http://127.0.0.1:1", "nothing listens there", "10s"},
		"a name that is not known":  {"https://smoke.invalid", "", "10s"},
	} {
		t.Run(name, func(t *testing.T) {
			got := visitTo(t, tt.base, token, "-patience", tt.patience)
			got.holds(t, tt.want, "At this address: ", "Next: ")
			if got.code != exitDiffers || got.outcomes()["the other questions"] != unasked {
				t.Errorf("it ended with %d:\n%s", got.code, got.text)
			}
		})
	}
}

// Errors that no server of a test gives.
func TestErrorsOfTheNetworkAreNamed(t *testing.T) {
	for want, err := range map[string]error{
		"not known here":              &net.DNSError{IsNotFound: true},
		"nothing answered in time":    &net.DNSError{IsTimeout: true},
		"its certificate is not good": x509.HostnameError{Certificate: &x509.Certificate{}},
		"speaks no TLS":               tls.RecordHeaderError{},
		"there is no connection":      net.ErrClosed,
	} {
		if got := unreachable(err); !strings.Contains(got, want) || !strings.Contains(got, "\nNext: ") {
			t.Errorf("%T: got %q, want %q", err, got, want)
		}
	}
}

// A gateway of another version is asked everything, and it is said.
func TestAnotherVersionIsSaid(t *testing.T) {
	s := stack(t, nil)
	got := visitTo(t, s.Base, token, "-version", "v9.9.9")
	if got.code != exitWell {
		t.Errorf("it ended with %d:\n%s", got.code, got.text)
	}
	got.holds(t, "another version answers (dev) than the one whose questions these are (v9.9.9)")
}

// A slow way is asked to the end, and said.
func TestASlowWayIsSaid(t *testing.T) {
	base, _ := neighbour(t, func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(slowly + 200*time.Millisecond)
		says(200, "application/json", `{"status":"ok","version":"v1"}`)(w, r)
	})
	got := visitTo(t, base, token, "-within", "4s")
	got.holds(t, "though it needs no agent")
	if got.outcomes()[reached] != well {
		t.Errorf("got:\n%s", got.text)
	}
}

func TestTheScrubber(t *testing.T) {
	const token, base = "tok-a/b+c d", "https://ai.example.com:8443"
	s := newScrubber(base, token)
	for text, hidden := range map[string]string{
		"Bearer " + token:                                    token,
		"said ai.example.com:8443":                           "ai.example.com",
		"see AI.Example.com":                                 "xample",
		"token=tok-a%2Fb%2Bc+d":                              "tok-a",
		"10.0.0.7:8788 refused":                              "10.0.0.7",
		"[2001:db8::1]:443 refused":                          "2001:db8",
		"alice@example.org wrote":                            "alice@",
		"key sk-proj-abc":                                    "sk-proj",
		`"the cat of my sister is called Whiskers and eats"`: "Whiskers",
		"eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCJ9":               "eyJ",
		"http://agent:8788/x":                                "agent:8788",
	} {
		if got := s.clean(text); strings.Contains(got, hidden) {
			t.Errorf("%q became %q", text, got)
		}
	}
	if got := s.clean("\x1b[2Jstatus 503,\ncode unavailable"); got != "·[2Jstatus 503, code unavailable" {
		t.Errorf("got %q", got)
	}
	if got := s.clean(strings.Repeat("é ", 400)); len(got) > 340 || !strings.Contains(got, "bytes)") {
		t.Errorf("got %d bytes", len(got))
	}
}
