package edge

import (
	"crypto/ed25519"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/gateway/access"
	"github.com/loongclaw/loongclaw/pkg/fault"
	"github.com/loongclaw/loongclaw/pkg/pass"
)

// passOf reads the pass of headers for the agent.
func passOf(t *testing.T, set http.Header, method, path string) pass.Pass {
	t.Helper()
	p, err := pass.Verify([]ed25519.PublicKey{passKey.Public().(ed25519.PublicKey)}, set.Get(canonicalPass), method, path, start)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestWhatWasRefusedGoesWithTheNextPassOnce(t *testing.T) {
	c := newCore(t, nil)
	bob := []string{"Authorization", "Bearer " + bobToken}
	for range 3 {
		refusal(t, c.Decide(request("POST", "/api/chat", bob...), generous())) // bob may only read
	}
	full := Facts{Limit: func(LimitQuestion) LimitAnswer { return LimitAnswer{} }}
	refusal(t, c.Decide(request("GET", "/api/usage", bob...), full))
	c.Frame(Identity{User: "bob", Scopes: []string{"read"}}, false, []byte(`{"type":"chat","data":{"message":"x"}}`), generous())
	refusal(t, c.Decide(request("GET", "/api/usage", "Authorization", "Bearer bob-or-so-123456"), generous())) // nobody
	next := func(more ...string) map[string]int {
		t.Helper()
		d := c.Decide(request("GET", "/api/usage", more...), generous())
		if d.Forward == nil {
			t.Fatalf("got %+v", d)
		}
		return passOf(t, d.Forward.Set, "GET", "/api/usage").Refused
	}
	if got := next(); got != nil {
		t.Errorf("alice's pass says %v of bob", got)
	}
	if diff := cmp.Diff(map[string]int{"forbidden": 4, "rate_limited": 1}, next(bob...)); diff != "" {
		t.Errorf("bob's next pass (-want +got):\n%s", diff)
	}
	if got := next(bob...); got != nil {
		t.Errorf("it is said again: %v", got)
	}
}

func TestRefusalsAreRememberedOfABoundedNumberOfUsers(t *testing.T) {
	var r refusals
	for i := range 2 * maxRefused {
		r.add(fmt.Sprint("u", i), fault.CodeForbidden)
	}
	if len(r.by) != maxRefused {
		t.Errorf("%d users, want %d", len(r.by), maxRefused)
	}
}

func TestAPassSaysHowItsUserCameIn(t *testing.T) {
	c := newCore(t, nil)
	via := func(more ...string) string {
		t.Helper()
		d := c.Decide(request("GET", "/api/usage", more...), generous())
		if d.Forward == nil {
			t.Fatalf("%v: got %+v", more, d)
		}
		return passOf(t, d.Forward.Set, "GET", "/api/usage").Via
	}
	session, _, err := c.sessions.Mint(c.cfg.Tokens[0], start)
	if err != nil {
		t.Fatal(err)
	}
	token, bearer := via(), via("Authorization", "Bearer "+session)
	for got, want := range map[string]string{token: access.ViaToken + ":", bearer: access.ViaSession + ":", via("Authorization", "Bearer "+bobToken): access.ViaToken + ":"} {
		if !strings.HasPrefix(got, want) || len(got) != len(want)+12 {
			t.Errorf("via %q, want %s and twelve characters", got, want)
		}
	}
	if token == via("Authorization", "Bearer "+bobToken) || token != via() {
		t.Error("two tokens have one name, or one has two")
	}
	open := newCore(t, func(cfg *Config) { cfg.Tokens, cfg.Loopback = nil, true })
	h := request("GET", "/api/usage", "Authorization", "")
	h.Host = "localhost"
	if d := open.Decide(h, generous()); d.Forward == nil || passOf(t, d.Forward.Set, "GET", "/api/usage").Via != access.ViaLoopback {
		t.Errorf("without tokens: %+v", d)
	}
	// Another key gives other names: who has a store cannot try tokens against it.
	other := newCore(t, func(cfg *Config) { cfg.PassKey = ed25519.NewKeyFromSeed(make([]byte, 32)) })
	if other.namer.Name(access.ViaToken, aliceToken) == token {
		t.Error("the name does not depend on the key")
	}
}
