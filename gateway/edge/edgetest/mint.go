package edgetest

import (
	"crypto/ed25519"
	"strings"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/gateway/access"
)

// strangerKey is a key that no gateway has.
var strangerKey = ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))

// mintSession makes a session token of the first of these static tokens.
func mintSession(t *testing.T, key ed25519.PrivateKey, static string, now time.Time) string {
	t.Helper()
	all, err := access.ParseTokens(static)
	if err != nil {
		t.Fatal(err)
	}
	minter, err := access.NewSessions(key, all)
	if err != nil {
		t.Fatal(err)
	}
	text, _, err := minter.Mint(all[0], now)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// session is a session token of alice's that counts.
func (s *suite) session(t *testing.T) string {
	t.Helper()
	return mintSession(t, s.signer, tokens, time.Now())
}

// mintTicket makes a ticket.
func mintTicket(t *testing.T, key ed25519.PrivateKey, g access.Identity, now time.Time) string {
	t.Helper()
	minter, err := access.NewTickets(key)
	if err != nil {
		t.Fatal(err)
	}
	text, _, err := minter.Mint(g, now)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// cookieName is the cookie's name where there is no TLS: browsers do not tell
// ports apart.
func (s *suite) cookieName() string {
	return "loongclaw-" + s.base[strings.LastIndex(s.base, ":")+1:]
}
