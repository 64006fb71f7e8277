package edgetest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// What the issuer of the suite says of itself.
const (
	issuer   = "https://issuer.example.com"
	audience = "loongclaw-test"
)

// The issuer's keys, one for each algorithm that counts: k1, k2 and k3.
var (
	issuerKey    = ed25519.NewKeyFromSeed([]byte("the issuer of the suite's tokens"))
	issuerEC, _  = ecdsa.GenerateKey(elliptic.P256(), rand.Reader) // never fails with this reader
	issuerRSA, _ = rsa.GenerateKey(rand.Reader, 2048)
)

// issuerPEM is how the gateway knows them.
func issuerPEM(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	for kid, key := range map[string]crypto.Signer{"k1": issuerKey, "k2": issuerEC, "k3": issuerRSA} {
		all.WriteString(publicPEM(t, kid, key))
	}
	return all.String()
}

func publicPEM(t *testing.T, kid string, key crypto.Signer) string {
	t.Helper()
	b := &pem.Block{Type: "PUBLIC KEY", Bytes: publicDER(t, key)}
	if kid != "" {
		b.Headers = map[string]string{"kid": kid}
	}
	return string(pem.EncodeToMemory(b))
}

func publicDER(t *testing.T, key crypto.Signer) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// jwtCases are JSON Web Tokens that count. Those that do not are in the table of
// credentials.
func jwtCases() []testCase {
	return []testCase{
		{"a JWT of the issuer speaks for its user, without admin, with each algorithm", goodJWT},
		{"a JWT that may read may not chat", readJWT},
	}
}

// token makes a JWT with k1's key; change may be nil, and a nil in it takes a
// claim away.
func token(t *testing.T, kid string, change map[string]any) string {
	t.Helper()
	return signed(t, jwt.SigningMethodEdDSA, issuerKey, map[string]any{"kid": kid}, change)
}

func signed(t *testing.T, method jwt.SigningMethod, key any, header, change map[string]any) string {
	t.Helper()
	c := jwt.MapClaims{"iss": issuer, "aud": audience, "sub": "dora", "exp": time.Now().Add(time.Minute).Unix()}
	maps.Copy(c, change)
	maps.DeleteFunc(c, func(_ string, v any) bool { return v == nil })
	tok := jwt.NewWithClaims(method, c)
	maps.Copy(tok.Header, header)
	text, err := tok.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func goodJWT(t *testing.T, s *suite) {
	for _, text := range []string{
		token(t, "k1", nil),
		signed(t, jwt.SigningMethodES256, issuerEC, map[string]any{"kid": "k2"}, nil),
		signed(t, jwt.SigningMethodRS256, issuerRSA, map[string]any{"kid": "k3"}, map[string]any{"aud": []string{"others", audience}}),
		signed(t, jwt.SigningMethodES256, issuerEC, nil, nil), // without a kid every key of its type is tried
	} {
		s.agent.reset()
		s.send(t, call{path: chat.PathStats, token: text}).wantStatus(t, http.StatusOK)
		p := s.wantPass(t, http.MethodGet, chat.PathStats)
		if p.User != "dora" || !p.Has("read") || !p.Has("chat") || p.Has("admin") {
			t.Errorf("got the pass %+v, want dora's, with read and chat", p)
		}
	}
}

func readJWT(t *testing.T, s *suite) {
	s.chat(t, token(t, "k1", map[string]any{"scope": "openid read"}), "hi").wantFault(t, fault.CodeForbidden)
	s.wantAgentUntouched(t)
}
