//go:build !js

package main

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/loongclaw/loongclaw/gateway/access"
	"github.com/loongclaw/loongclaw/pkg/pass"
)

func TestTokenInspect(t *testing.T) {
	private, _ := keys(t)
	key, err := pass.ParsePrivate(private)
	if err != nil {
		t.Fatal(err)
	}
	public, signer, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	const tokens = "alice:alice-secret-1,bob:bob-secret-123:read"
	clean(t, "PASS_PRIVATE_KEY", private, "LOONGCLAW_TOKENS", tokens, "JWT_ISSUER", "https://issuer.example", "JWT_AUDIENCE", "loongclaw",
		"JWT_PUBLIC_KEYS", string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})))
	all, err := access.ParseTokens(tokens)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	sessions, err1 := access.NewSessions(key, all)
	tickets, err2 := access.NewTickets(key)
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	session, g, err1 := sessions.Mint(all[0], now)
	ticket, _, err2 := tickets.Mint(all[1].Identity, now)
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	web := func(aud string) string {
		text, err := jwt.NewWithClaims(jwt.SigningMethodEdDSA, jwt.MapClaims{"iss": "https://issuer.example", "aud": aud, "sub": "dora", "exp": now.Add(time.Hour).Unix()}).SignedString(signer)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	for text, want := range map[string][]string{
		"alice-secret-1":         {"static token", "user: alice\n", "scopes: read, chat, admin\n", "expires: never\n"},
		"Bearer bob-secret-123 ": {"static token", "user: bob\n", "scopes: read\n"},
		session:                  {"session token", "user: alice\n", "expires: " + time.Unix(g.Expires, 0).UTC().Format(time.RFC3339)},
		ticket:                   {"WebSocket ticket", "user: bob\n", "unless it was used"},
		web("loongclaw"):         {"JSON Web Token", "user: dora\n", "scopes: read, chat\n"},
	} {
		var out strings.Builder
		if err := run(t.Context(), []string{"token", "inspect"}, strings.NewReader(text+"\nnext line"), &out, io.Discard, nil); err != nil {
			t.Errorf("%v: %v", want, err)
		}
		for _, w := range want {
			if !strings.Contains(out.String(), w) {
				t.Errorf("got %q, want %q in it", out.String(), w)
			}
		}
		if strings.Contains(out.String(), strings.TrimSpace(strings.TrimPrefix(text, "Bearer "))) {
			t.Errorf("the token is repeated: %s", out.String())
		}
	}
	for _, text := range []string{"", "\n", "alice-secret-2", session + "x", ticket[:20], web("others"), strings.Repeat("x", 1<<20)} {
		var out strings.Builder
		err := run(t.Context(), []string{"token", "inspect"}, strings.NewReader(text), &out, io.Discard, nil)
		if err == nil || out.String() != "" || !strings.Contains(err.Error(), "\nNext: ") || (len(text) > 1 && strings.Contains(err.Error(), text)) {
			t.Errorf("%.20q: got %q, %v", text, out.String(), err)
		}
	}
	clean(t)
	if err := run(t.Context(), []string{"token", "inspect"}, strings.NewReader("x"), io.Discard, io.Discard, nil); err == nil || !strings.Contains(err.Error(), "PASS_PRIVATE_KEY") {
		t.Errorf("without a configuration: got %v", err)
	}
}
