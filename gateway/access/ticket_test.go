package access

import (
	"crypto/ed25519"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func mustTickets(t testing.TB, seed byte) *Tickets {
	t.Helper()
	b := make([]byte, ed25519.SeedSize)
	b[0] = seed
	ts, err := NewTickets(ed25519.NewKeyFromSeed(b))
	if err != nil {
		t.Fatal(err)
	}
	return ts
}

func TestTickets(t *testing.T) {
	ts, now := mustTickets(t, 0), time.UnixMilli(1_800_000_000_123)
	g := Identity{User: "熊大", Scopes: []string{"read", "chat"}, Expires: now.Unix() + 3600}
	text, minted, err := ts.Mint(g, now)
	if err != nil {
		t.Fatal(err)
	}
	got, ok := ts.Find(text, now.Add(TicketLifetime-time.Millisecond))
	if diff := cmp.Diff(minted, got); diff != "" || !ok {
		t.Fatalf("%v (-minted +found):\n%s", ok, diff)
	}
	if diff := cmp.Diff(g, got.Identity); diff != "" || !got.Issued.Equal(now) || !got.Until.Equal(now.Add(TicketLifetime)) || got.ID == "" {
		t.Errorf("got %+v (-want +got):\n%s", got, diff)
	}
	if _, ok := ts.Find(text, now.Add(TicketLifetime)); ok {
		t.Error("it counts after its time")
	}
	for i := range text {
		forged := []byte(text)
		forged[i] ^= 1
		if g, ok := ts.Find(string(forged), now); ok {
			t.Fatalf("byte %d changed and it counts as %v", i, g)
		}
		if _, ok := ts.Find(text[:i], now); ok {
			t.Fatalf("cut after %d bytes it counts", i)
		}
	}
	if _, ok := mustTickets(t, 1).Find(text, now); ok {
		t.Error("it counts under another key")
	}
	again, other, err := ts.Mint(g, now)
	if err != nil || again == text || other.ID == minted.ID {
		t.Errorf("two tickets are one: %s, %v", other.ID, err)
	}
}

func TestTicketsEndWithTheirCredential(t *testing.T) {
	ts, now := mustTickets(t, 0), time.Unix(1_800_000_000, 0)
	text, got, err := ts.Mint(Identity{User: "a", Scopes: []string{"read"}, Expires: now.Unix() + 5}, now)
	if err != nil || !got.Until.Equal(now.Add(5*time.Second)) {
		t.Errorf("got %v, %v", got.Until, err)
	}
	if _, ok := ts.Find(text, now.Add(5*time.Second)); ok {
		t.Error("it outlives its credential")
	}
}

// One key signs both, so neither may ever be taken for the other.
func TestTicketsAreNoSessions(t *testing.T) {
	key, now := ed25519.NewKeyFromSeed(make([]byte, 32)), time.Unix(1_800_000_000, 0)
	tokens := mustTokens(t, "alice:alice-secret-1")
	sessions, err := NewSessions(key, tokens)
	if err != nil {
		t.Fatal(err)
	}
	ts := mustTickets(t, 0)
	session, _, err1 := sessions.Mint(tokens[0], now)
	ticket, _, err2 := ts.Mint(tokens[0].Identity, now)
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	for _, text := range []string{session, strings.Replace(session, sessionPrefix, ticketPrefix, 1)} {
		if _, ok := ts.Find(text, now); ok {
			t.Errorf("%s counts as a ticket", text)
		}
	}
	for _, text := range []string{ticket, strings.Replace(ticket, ticketPrefix, sessionPrefix, 1)} {
		if _, ok := sessions.Find(text, now); ok {
			t.Errorf("%s counts as a session", text)
		}
	}
}

func FuzzTicket(f *testing.F) {
	ts, now := mustTickets(f, 0), time.Unix(1_800_000_000, 0)
	// Each of the fuzzer's processes must make the same ticket, so none is minted.
	body := base64.RawURLEncoding.EncodeToString([]byte(`{"u":"alice","s":["read"],"i":"x","f":1800000000000,"t":1800000060000}`))
	good := ticketPrefix + body + "." + base64.RawURLEncoding.EncodeToString(ts.mac(body))
	if _, ok := ts.Find(good, now); !ok {
		f.Fatal("the ticket made by hand does not count")
	}
	f.Add(good)
	f.Add("lct_.")
	f.Add("lct_e30.e30")
	f.Fuzz(func(t *testing.T, text string) {
		if _, ok := ts.Find(text, now); ok && text != good {
			t.Errorf("%q counts", text)
		}
	})
}
