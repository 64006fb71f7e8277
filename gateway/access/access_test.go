package access

import (
	"crypto/ed25519"
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func mustTokens(t *testing.T, s string) Tokens {
	t.Helper()
	ts, err := ParseTokens(s)
	if err != nil {
		t.Fatal(err)
	}
	return ts
}

func TestTokens(t *testing.T) {
	ts := mustTokens(t, " alice:alice-secret-1 , bob:bob-secret-123:read,熊大:bear-secret-12:chat,")
	for secret, want := range map[string]Identity{
		"alice-secret-1": {User: "alice", Scopes: []string{"read", "chat", "admin"}},
		"bob-secret-123": {User: "bob", Scopes: []string{"read"}},
		"bear-secret-12": {User: "熊大", Scopes: []string{"read", "chat"}},
		"":               {}, "alice-secret-": {}, "alice-secret-12": {}, strings.Repeat("x", 1<<20): {},
	} {
		got, ok := ts.Find(secret)
		if diff := cmp.Diff(want, got); diff != "" || ok != (want.User != "") {
			t.Errorf("%.20q: %v (-want +got):\n%s", secret, ok, diff)
		}
	}
}

func TestTokenFaultsAreAllTold(t *testing.T) {
	secrets := []string{"tiny-secret", "other-secret-1", "scope-secret-1", "dup-secret-123", "name-secret-12", "ctl-secret-\x01-12"}
	_, err := ParseTokens("a:" + secrets[0] + "," + secrets[1] + ",c:" + secrets[2] + ":root,d:" + secrets[3] + ",e:" + secrets[3] + ",a/b:" + secrets[4] + ",f:" + secrets[5] + ",..:dots-secret-12,:no-user-secret")
	if err == nil {
		t.Fatal("no fault")
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != 8 {
		t.Errorf("got %d faults, want 8:\n%v", len(lines), err)
	}
	for _, s := range secrets {
		if strings.Contains(err.Error(), s) {
			t.Errorf("the error repeats %q:\n%v", s, err)
		}
	}
}

func TestSessions(t *testing.T) {
	key := ed25519.NewKeyFromSeed(make([]byte, 32))
	now := time.Unix(1_800_000_000, 0)
	tokens := mustTokens(t, "alice:alice-secret-1,bob:bob-secret-123:read")
	s, err := NewSessions(key, tokens)
	if err != nil {
		t.Fatal(err)
	}
	text, _, err := s.Mint(tokens[0], now)
	if err != nil {
		t.Fatal(err)
	}
	if g, ok := s.Find(text, now.Add(SessionLifetime-time.Second)); !ok || g.User != "alice" || len(g.Scopes) != 3 {
		t.Errorf("got %v %v", g, ok)
	}
	if _, ok := s.Find(text, now.Add(SessionLifetime)); ok {
		t.Error("it counts after its time")
	}
	for i := len("lcs_"); i < len(text); i++ {
		forged := []byte(text)
		forged[i] ^= 1
		if g, ok := s.Find(string(forged), now); ok {
			t.Fatalf("byte %d changed and it counts as %v", i, g)
		}
	}
	for name, other := range map[string]string{
		"changed token": "alice:alice-secret-2", "gone user": "bob:bob-secret-123", "same token, fewer scopes": "alice:alice-secret-1:read", "same token, other user": "eve:alice-secret-1",
	} {
		o, err := NewSessions(key, mustTokens(t, other))
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := o.Find(text, now); ok {
			t.Errorf("%s: the session still counts", name)
		}
	}
	seed := make([]byte, 32)
	seed[0] = 1
	if o, _ := NewSessions(ed25519.NewKeyFromSeed(seed), tokens); o != nil {
		if _, ok := o.Find(text, now); ok {
			t.Error("it counts under another key")
		}
	}
}

func FuzzSession(f *testing.F) {
	key := ed25519.NewKeyFromSeed(make([]byte, 32))
	tokens, _ := ParseTokens("alice:alice-secret-1")
	s, _ := NewSessions(key, tokens)
	now := time.Unix(1_800_000_000, 0)
	good, _, _ := s.Mint(tokens[0], now)
	f.Add(good)
	f.Add("lcs_.")
	f.Fuzz(func(t *testing.T, text string) {
		if _, ok := s.Find(text, now); ok && text != good {
			t.Errorf("%q counts", text)
		}
	})
}

func TestOrigins(t *testing.T) {
	os, err := ParseOrigins("https://App.example.com:443, http://localhost:5173/")
	if err != nil || !os.Has("https://app.example.com") || !os.Has("http://localhost:5173") || os.Has("https://app.example.com.evil.com") {
		t.Errorf("got %v, %v", os, err)
	}
	for _, bad := range []string{"*", "https://*.example.com", "example.com", "https://a.com/path", "null", "https://u@a.com", "ftp://a.com"} {
		if got, err := ParseOrigins(bad); err == nil {
			t.Errorf("%s: got %v", bad, got)
		}
	}
	for _, tc := range []struct {
		origin, host string
		want         bool
	}{
		{"http://localhost:8787", "localhost:8787", true},
		{"https://a.com", "a.com:443", true},
		{"https://A.com", "a.com", true},
		{"https://a.com:8443", "a.com", false},
		{"null", "a.com", false},
		{"https://a.com.evil", "a.com", false},
		{"https://x@a.com", "a.com", false},
		{"", "", false},
	} {
		if got := SameHost(tc.origin, tc.host); got != tc.want {
			t.Errorf("SameHost(%q, %q) = %v", tc.origin, tc.host, got)
		}
	}
}

func TestClientBehindProxies(t *testing.T) {
	ps, err := ParseProxies("10.0.0.0/8, 2001:db8::1")
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		peer, forwarded, want string
		trusted               bool
	}{
		{"1.2.3.4:5", "9.9.9.9", "1.2.3.4", false},
		{"10.1.1.1:5", "9.9.9.9", "9.9.9.9", true},
		{"10.1.1.1:5", "6.6.6.6, 9.9.9.9, 10.2.2.2", "9.9.9.9", true},
		{"10.1.1.1:5", "9.9.9.9, garbage", "10.1.1.1", true},
		{"10.1.1.1:5", "", "10.1.1.1", true},
		{"[2001:db8::1]:5", "::ffff:9.9.9.9", "9.9.9.9", true},
		{"::ffff:10.1.1.1", "9.9.9.9", "9.9.9.9", true},
	} {
		got, trusted := ps.Client(tc.peer, http.Header{"X-Forwarded-For": {tc.forwarded}})
		if got.String() != tc.want || trusted != tc.trusted {
			t.Errorf("%s via %q: got %v %v, want %s %v", tc.forwarded, tc.peer, got, trusted, tc.want, tc.trusted)
		}
	}
	if AddrKey(ParseAddr("2001:db8:1:2:3::4")) != AddrKey(ParseAddr("2001:db8:1:2:ffff::1")) || AddrKey(ParseAddr("1.2.3.4")) == AddrKey(ParseAddr("1.2.3.5")) {
		t.Error("keys of addresses")
	}
	if _, err := ParseProxies("10.0.0.0/99,x"); err == nil || strings.Count(err.Error(), "\n") != 1 {
		t.Errorf("got %v, want two faults", err)
	}
}

func TestLoopbackHosts(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost:8787": true, "127.0.0.1": true, "127.8.8.8:1": true, "[::1]:8787": true, "app.localhost": true, "LOCALHOST": true,
		"example.com": false, "127.0.0.1.nip.io": false, "localhost.example.com": false, "": false, "10.0.0.1": false, "0.0.0.0": false,
	} {
		if got := IsLoopbackHost(host); got != want {
			t.Errorf("%q: got %v", host, got)
		}
	}
}

// The Worker itself counts addresses by the same keys: wrangler/limits/address-key.mjs
// is held to this table, too.
func TestAddressKeys(t *testing.T) {
	text, err := os.ReadFile("testdata/addresses.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct{ Address, Key string }
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		if got := AddrKey(ParseAddr(c.Address)); got != c.Key {
			t.Errorf("%q: got %q, want %q", c.Address, got, c.Key)
		}
	}
}

func TestHostsBehindProxiesThatDropThePort(t *testing.T) {
	for _, tc := range []struct{ host, port, want string }{
		{"a.com", "8443", "a.com:8443"},
		{"a.com:9", "8443", "a.com:9"},
		{"[::1]", "8443", "[::1]:8443"},
		{"a.com", "", "a.com"},
		{"a.com", "443", "a.com"},
		{"a.com", "80", "a.com"},
		{"a.com", "0", "a.com"},
		{"a.com", "70000", "a.com"},
		{"a.com", "8443, 80", "a.com"},
		{"a.com", "-1", "a.com"},
		{"", "8443", ""},
	} {
		if got := WithPort(tc.host, tc.port); got != tc.want {
			t.Errorf("WithPort(%q, %q) = %q, want %q", tc.host, tc.port, got, tc.want)
		}
	}
	for _, tc := range []struct {
		origin, host string
		want         bool
	}{
		{"https://a.com:8443", "a.com", true},
		{"http://[::1]:8787", "[::1]", true},
		{"https://a.com", "a.com", false},
		{"https://a.com:8443", "a.com:8443", false},
		{"https://a.com:8443", "a.com:9", false},
		{"https://b.com:8443", "a.com", false},
		{"null", "a.com", false},
		{"https://u@a.com:8443", "a.com", false},
		{"", "", false},
	} {
		if got := LostPort(tc.origin, tc.host); got != tc.want {
			t.Errorf("LostPort(%q, %q) = %v", tc.origin, tc.host, got)
		}
	}
}
