package edge

import (
	"bytes"
	"crypto/ed25519"
	"net/http"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/gateway/access"
	"github.com/loongclaw/loongclaw/gateway/limit"
	"github.com/loongclaw/loongclaw/pkg/fault"
	"github.com/loongclaw/loongclaw/pkg/pass"
)

const (
	aliceToken = "alice-token-123456"
	bobToken   = "bob-token-12345678"
)

var (
	passKey  = ed25519.NewKeyFromSeed([]byte("0123456789abcdef0123456789abcdef"))
	start    = time.Unix(1_800_000_000, 0)
	allAgain = LimitAnswer{Allowed: true, Remaining: 7, Reset: 1500 * time.Millisecond}
)

// newCore makes a core with two users; change may be nil.
func newCore(t testing.TB, change func(*Config)) *Core {
	t.Helper()
	tokens, err := access.ParseTokens("alice:" + aliceToken + ",bob:" + bobToken + ":read")
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{
		Version: "1.2.3", Tokens: tokens, PassKey: passKey, Agents: []string{"http://agent"},
		Limits:  limit.Rates{Chat: limit.Rate{N: 30, Per: time.Minute}, API: limit.Rate{N: 600, Per: time.Minute}, Auth: limit.Rate{N: 10, Per: time.Minute}},
		Origins: access.Origins{"https://app.example.com"},
		Now:     func() time.Time { return start }, NewID: func() string { return "id-0123456789" },
	}
	if change != nil {
		change(&cfg)
	}
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// request is a head of alice's; more are name and value pairs, and an empty
// value takes a header away.
func request(method, target string, more ...string) Head {
	h := Head{Method: method, Target: target, Host: "gw.example.com", RemoteAddr: "192.0.2.7:4711", Header: http.Header{"Authorization": {"Bearer " + aliceToken}}}
	for i := 0; i < len(more); i += 2 {
		h.Header.Set(more[i], more[i+1])
		if more[i+1] == "" {
			h.Header.Del(more[i])
		}
	}
	return h
}

// generous allows everything.
func generous() Facts {
	return Facts{Limit: func(LimitQuestion) LimitAnswer { return allAgain }}
}

// refusal is a refusal's status and code.
func refusal(t testing.TB, d Decision) (int, string) {
	t.Helper()
	if d.Respond == nil {
		t.Errorf("got %+v, want a refusal", d)
		return 0, ""
	}
	e := fault.FromResponse(d.Respond.Status, d.Respond.Body)
	if !bytes.Equal(d.Respond.Body, e.JSON(d.Dialect)) || e.Message == "" || e.Hint == "" || e.RequestID != d.RequestID {
		t.Errorf("the refusal %s is not what clients of the path expect", d.Respond.Body)
	}
	return d.Respond.Status, string(e.Code)
}

func verify(t testing.TB, set http.Header, method, path string) pass.Pass {
	t.Helper()
	p, err := pass.Verify([]ed25519.PublicKey{passKey.Public().(ed25519.PublicKey)}, set.Get("X-LoongClaw-Pass"), method, path, start)
	if err != nil {
		t.Errorf("%s %s: %v", method, path, err)
	}
	return p
}

func mustProxies(t testing.TB, text string) access.Proxies {
	t.Helper()
	p, err := access.ParseProxies(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
