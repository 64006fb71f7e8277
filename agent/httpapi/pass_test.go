package httpapi

import (
	"bytes"
	"crypto/ed25519"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/agent/egress"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/pass"
)

// TestPassesOverLoopback sends passes over a real connection on loopback, where
// nothing is let in that would not be let in elsewhere.
func TestPassesOverLoopback(t *testing.T) {
	r := newRig(t)
	next := ed25519.NewKeyFromSeed(bytes.Repeat([]byte("n"), ed25519.SeedSize))
	stranger := ed25519.NewKeyFromSeed(bytes.Repeat([]byte("s"), ed25519.SeedSize))
	both := []ed25519.PublicKey{r.key.Public().(ed25519.PublicKey), next.Public().(ed25519.PublicKey)}
	server := httptest.NewServer(r.Server)
	defer server.Close()
	const path = "/api/sessions"
	sign := func(key ed25519.PrivateKey, method, path string, ago time.Duration) string {
		text, err := pass.Sign(key, pass.Pass{User: "alice", Scopes: []string{"read", "chat"}, Method: method, Path: path}, time.Now().Add(-ago))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	good := sign(r.key, "GET", path, 0)
	for name, c := range map[string]struct {
		keys   []ed25519.PublicKey
		method string
		target string
		pass   string
		want   int
	}{
		"its own":                       {both[:1], "GET", path, good, 200},
		"again":                         {both[:1], "GET", path, good, 200}, // a pass is no ticket: it counts for its minute
		"with another query":            {both[:1], "GET", path + "?q=x", good, 200},
		"a new key that is not known":   {both[:1], "GET", path, sign(next, "GET", path, 0), 401},
		"while both are known, the old": {both, "GET", path, good, 200},
		"while both are known, the new": {both, "GET", path, sign(next, "GET", path, 0), 200},
		"the old one is gone":           {both[1:], "GET", path, good, 401},
		"the new one alone":             {both[1:], "GET", path, sign(next, "GET", path, 0), 200},
		"no key is known":               {nil, "GET", path, good, 401},
		"a stranger's key":              {both, "GET", path, sign(stranger, "GET", path, 0), 401},
		"another method":                {both, "DELETE", "/api/history", sign(r.key, "GET", "/api/history", 0), 401},
		"another path":                  {both, "GET", "/api/usage", good, 401},
		"the path in another spelling":  {both, "GET", "/api/%73essions", good, 404},
		"a slash more":                  {both, "GET", path + "/", good, 404},
		"replayed 85 s later":           {both, "GET", path, sign(r.key, "GET", path, 85*time.Second), 200}, // 60 and 30 for clocks
		"replayed 95 s later":           {both, "GET", path, sign(r.key, "GET", path, 95*time.Second), 401},
		"from a clock 25 s ahead":       {both, "GET", path, sign(r.key, "GET", path, -25*time.Second), 200},
		"from a clock 35 s ahead":       {both, "GET", path, sign(r.key, "GET", path, -35*time.Second), 401},
		"none":                          {both, "GET", path, "", 401},
		"cut":                           {both, "GET", path, good[:len(good)-1], 401},
		"two in one":                    {both, "GET", path, good + "," + good, 401},
	} {
		r.Keys = c.keys
		q, err := http.NewRequestWithContext(t.Context(), c.method, server.URL+c.target, nil)
		if err != nil {
			t.Fatal(err)
		}
		if c.pass != "" {
			q.Header.Set(chat.HeaderPass, c.pass)
		}
		q.Host = "localhost"
		res, err := server.Client().Do(q)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != c.want {
			t.Errorf("%s: got %d, want %d", name, res.StatusCode, c.want)
		}
	}
	if log := r.log.String(); strings.Contains(log, good[:20]) {
		t.Errorf("the log holds a pass: %s", log)
	}
}

// A egress token counts for the user whose pass comes with it, and for nobody else.
func TestOnlyAPassBringsADoorToken(t *testing.T) {
	r := newRig(t)
	r.Egress = egress.Expect("http://r2.internal")
	const mine, other = "door-token-of-alice", "door-token-of-somebody"
	ask := func(user, token string) {
		text := ""
		if user != "" {
			var err error
			if text, err = pass.Sign(r.key, pass.Pass{User: user, Scopes: []string{"read"}, Method: "GET", Path: "/api/sessions"}, time.Now()); err != nil {
				t.Fatal(err)
			}
		}
		q := httptest.NewRequest(http.MethodGet, "/api/sessions", http.NoBody)
		q.Header.Set(chat.HeaderPass, text)
		q.Header.Set(egress.Header, token)
		r.ServeHTTP(httptest.NewRecorder(), q)
	}
	shown := func(user string) string {
		q := httptest.NewRequest(http.MethodGet, "http://r2.internal/store/u/"+user+"/log/000000000001", http.NoBody)
		r.Egress.Mark(q)
		return q.Header.Get(egress.Header)
	}
	ask("", other)
	if got := r.Egress.Users(); len(got) != 0 {
		t.Errorf("without a pass a token came for %q", got)
	}
	ask("alice", mine)
	ask("alice", other)
	ask("bob", other)
	if shown("alice") != mine || shown("bob") != other || shown("carol") != "" {
		t.Errorf("the egress proxy are shown %q for alice, %q for bob, %q for carol", shown("alice"), shown("bob"), shown("carol"))
	}
}
