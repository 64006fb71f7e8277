package edgetest

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"net/http"
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

// issuerKey signs the tokens of the suite.
var issuerKey = ed25519.NewKeyFromSeed([]byte("the issuer of the suite's tokens"))

// issuerPEM is how the gateway knows it.
func issuerPEM() string {
	der, _ := x509.MarshalPKIXPublicKey(issuerKey.Public()) // of a type that it knows: cannot fail
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Headers: map[string]string{"kid": "k1"}, Bytes: der}))
}

// jwtCases hold JSON Web Tokens to the same rules everywhere.
func jwtCases() []testCase {
	return []testCase{
		{"a JWT of the issuer speaks for its user, without admin", goodJWT},
		{"a JWT that may read may not chat", readJWT},
		{"a JWT that is forged, expired or for others is 401", badJWT},
	}
}

// token makes a JWT; change may be nil.
func token(t *testing.T, kid string, change map[string]any) string {
	t.Helper()
	c := jwt.MapClaims{"iss": issuer, "aud": audience, "sub": "dora", "exp": time.Now().Add(time.Minute).Unix()}
	for name, value := range change {
		c[name] = value
	}
	tok := jwt.NewWithClaims(jwt.SigningMethodEdDSA, c)
	tok.Header["kid"] = kid
	text, err := tok.SignedString(issuerKey)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func goodJWT(t *testing.T, s *suite) {
	s.send(t, call{path: chat.PathStats, token: token(t, "k1", nil)}).wantStatus(t, http.StatusOK)
	p := s.wantPass(t, http.MethodGet, chat.PathStats)
	if p.User != "dora" || !p.Has("read") || !p.Has("chat") || p.Has("admin") {
		t.Errorf("got the pass %+v, want dora's, with read and chat", p)
	}
}

func readJWT(t *testing.T, s *suite) {
	s.chat(t, token(t, "k1", map[string]any{"scope": "openid read"}), "hi").wantFault(t, fault.CodeForbidden)
	s.wantAgentUntouched(t)
}

func badJWT(t *testing.T, s *suite) {
	good := token(t, "k1", nil)
	none, err := jwt.NewWithClaims(jwt.SigningMethodNone, jwt.MapClaims{"iss": issuer, "aud": audience, "sub": "alice", "exp": time.Now().Add(time.Minute).Unix()}).SignedString(jwt.UnsafeAllowNoneSignatureType)
	if err != nil {
		t.Fatal(err)
	}
	hs, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"iss": issuer, "aud": audience, "sub": "alice", "exp": time.Now().Add(time.Minute).Unix()}).SignedString([]byte(issuerPEM()))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"cut":            good[:len(good)-2],
		"changed":        good[:30] + "x" + good[31:],
		"expired":        token(t, "k1", map[string]any{"exp": time.Now().Add(-time.Minute).Unix()}),
		"not yet":        token(t, "k1", map[string]any{"nbf": time.Now().Add(time.Minute).Unix()}),
		"wrong audience": token(t, "k1", map[string]any{"aud": "others"}),
		"wrong issuer":   token(t, "k1", map[string]any{"iss": "https://evil.example.com"}),
		"unknown key":    token(t, "k2", nil),
		"user is a path": token(t, "k1", map[string]any{"sub": "../alice"}),
		"none":           none, "HS256 with the public key": hs,
		"swapped": base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"ES256","kid":"k1"}`)) + good[len(base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"EdDSA","kid":"k1","typ":"JWT"}`))):],
	} {
		a := s.send(t, call{path: chat.PathStats, token: text, header: map[string]string{s.target.AddrHeader: s.otherAddr()}})
		if a.status != http.StatusUnauthorized {
			t.Errorf("%s: got %d", name, a.status)
		}
	}
	s.wantAgentUntouched(t)
}
