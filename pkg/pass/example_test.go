package pass_test

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"time"

	"github.com/loongclaw/loongclaw/pkg/pass"
)

// The gateway signs who asks for what; the agent lets exactly that request in.
func Example() {
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte("k"), ed25519.SeedSize))
	trusted := []ed25519.PublicKey{key.Public().(ed25519.PublicKey)}
	now := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)

	text, err := pass.Sign(key, pass.Pass{User: "alice", Scopes: []string{"read"}, Method: "GET", Path: "/api/sessions"}, now)
	if err != nil {
		fmt.Println(err)
		return
	}
	p, err := pass.Verify(trusted, text, "GET", "/api/sessions", now)
	fmt.Println(p.User, p.Has("read"), p.Has("chat"), err)
	_, err = pass.Verify(trusted, text, "DELETE", "/api/sessions", now)
	fmt.Println("another request:", err != nil)
	_, err = pass.Verify(trusted, text, "GET", "/api/sessions", now.Add(2*time.Minute))
	fmt.Println("two minutes later:", err != nil)
	// Output:
	// alice true false <nil>
	// another request: true
	// two minutes later: true
}
