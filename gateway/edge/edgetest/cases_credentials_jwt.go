package edgetest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/loongclaw/loongclaw/gateway/access"
)

// claims and headers are what a row changes in a token that would count.
type (
	claims  = map[string]any
	headers = map[string]any
)

func jwtCredentials() []credential {
	all := changedClaims()
	all = append(all, forgedKeys()...)
	return append(all, brokenTokens()...)
}

// changedClaims are tokens of the issuer's that say the wrong thing.
func changedClaims() []credential {
	soon, gone := time.Now().Add(5*time.Minute).Unix(), time.Now().Add(-5*time.Minute).Unix()
	var all []credential
	for _, row := range []struct {
		name   string
		change claims
	}{
		{"expired", claims{"exp": gone}},
		{"without an end", claims{"exp": nil}},
		{"with an end that is text", claims{"exp": "tomorrow"}},
		{"with an end that is no time", claims{"exp": 1e18}},
		{"with an end before all time", claims{"exp": -1}},
		{"not yet valid", claims{"nbf": soon}},
		{"for another audience", claims{"aud": "others"}},
		{"for other audiences", claims{"aud": []string{"others", audience + "2"}}},
		{"for no audience", claims{"aud": nil}},
		{"of another issuer", claims{"iss": "https://evil.example.com"}},
		{"of an issuer that begins alike", claims{"iss": issuer + ".evil.example.com"}},
		{"of no issuer", claims{"iss": nil}},
		{"without a user", claims{"sub": nil}},
		{"with an empty user", claims{"sub": ""}},
		{"with a user that is a path", claims{"sub": "../alice"}},
		{"with a user that is a number", claims{"sub": 7}},
		{"with a user that breaks a line", claims{"sub": "alice\nadmin"}},
		{"with a user that is too long", claims{"sub": strings.Repeat("a", 65)}},
		{"that is too long", claims{"pad": strings.Repeat("x", 9000)}},
	} {
		all = append(all, credential{"a JWT " + row.name, func(t *testing.T, _ *suite) proof { return bearing(token(t, "k1", row.change)) }})
	}
	return all
}

// forgedKeys are tokens that say the right thing and that the issuer's keys did not
// sign as they may.
func forgedKeys() []credential {
	all := []credential{}
	add := func(name string, header headers, method jwt.SigningMethod, key func(*testing.T) any) {
		all = append(all, credential{"a JWT " + name, func(t *testing.T, _ *suite) proof {
			return bearing(signed(t, method, key(t), header, claims{"sub": "alice", "scope": "admin"}))
		}})
	}
	fixed := func(key any) func(*testing.T) any { return func(*testing.T) any { return key } }
	none := fixed(jwt.UnsafeAllowNoneSignatureType)
	for _, kid := range []any{nil, "k1", "k3"} {
		header := headers{}
		name := ""
		if kid != nil {
			header["kid"], name = kid, " and the kid "+kid.(string)
		}
		add("with alg none"+name, header, jwt.SigningMethodNone, none)
	}
	hs := jwt.SigningMethodHS256
	add("with HS256 over the public key in PEM", headers{"kid": "k3"}, hs, func(t *testing.T) any { return []byte(publicPEM(t, "k3", issuerRSA)) })
	add("with HS256 over the public key in plain PEM", headers{"kid": "k3"}, hs, func(t *testing.T) any { return []byte(publicPEM(t, "", issuerRSA)) })
	add("with HS256 over the public key in DER", nil, hs, func(t *testing.T) any { return publicDER(t, issuerRSA) })
	add("with HS256 over the public key's bytes", headers{"kid": "k1"}, hs, func(*testing.T) any { return []byte(issuerKey[32:]) })
	add("with HS256 over nothing", nil, hs, fixed([]byte{}))
	add("with the kid of another key", headers{"kid": "k2"}, jwt.SigningMethodEdDSA, fixed(issuerKey))
	add("with a kid that nobody has", headers{"kid": "k9"}, jwt.SigningMethodEdDSA, fixed(issuerKey))
	add("with a kid that is a path", headers{"kid": "../../dev/null"}, jwt.SigningMethodEdDSA, fixed(issuerKey))
	add("with a kid that is a number", headers{"kid": 1}, jwt.SigningMethodEdDSA, fixed(issuerKey))
	add("of a stranger's Ed25519 key", headers{"kid": "k1"}, jwt.SigningMethodEdDSA, fixed(strangerKey))
	add("of a stranger's P-256 key", headers{"kid": "k2"}, jwt.SigningMethodES256, func(t *testing.T) any { return strangerEC(t, elliptic.P256()) })
	add("of a stranger's P-384 key", headers{"kid": "k2"}, jwt.SigningMethodES384, func(t *testing.T) any { return strangerEC(t, elliptic.P384()) })
	add("of a stranger's RSA key", headers{"kid": "k3"}, jwt.SigningMethodRS256, strangerRSA)
	add("with PS256", headers{"kid": "k3"}, jwt.SigningMethodPS256, fixed(issuerRSA))
	add("with RS512", headers{"kid": "k3"}, jwt.SigningMethodRS512, fixed(issuerRSA))
	add("that brings its key along", headers{"jwk": map[string]string{"kty": "OKP", "crv": "Ed25519", "x": base64.RawURLEncoding.EncodeToString(strangerKey[32:])}}, jwt.SigningMethodEdDSA, fixed(strangerKey))
	add("that says where its key is", headers{"jku": "https://evil.example.com/keys", "x5u": "https://evil.example.com/cert"}, jwt.SigningMethodEdDSA, fixed(strangerKey))
	add("that demands what is not understood", headers{"kid": "k1", "crit": []string{"b64"}, "b64": false}, jwt.SigningMethodEdDSA, fixed(issuerKey))
	return all
}

func strangerEC(t *testing.T, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func strangerRSA(t *testing.T) any {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// brokenTokens are those that were good once.
func brokenTokens() []credential {
	b64 := base64.RawURLEncoding.EncodeToString
	part := func(text string, i int) string { return strings.Split(text, ".")[i] }
	var all []credential
	for _, row := range []struct {
		name string
		of   func(good, other string) string
	}{
		{"that was cut by a character", func(good, _ string) string { return good[:len(good)-1] }},
		{"that was cut in its middle", func(good, _ string) string { return good[:len(good)/2] }},
		{"without its signature", func(good, _ string) string { return part(good, 0) + "." + part(good, 1) + "." }},
		{"of two parts", func(good, _ string) string { return part(good, 0) + "." + part(good, 1) }},
		{"of five parts", func(good, _ string) string { return good + ".e30.e30" }},
		{"with another token's claims", func(good, other string) string {
			return part(good, 0) + "." + part(other, 1) + "." + part(good, 2)
		}},
		{"with another token's signature", func(good, other string) string {
			return part(good, 0) + "." + part(good, 1) + "." + part(other, 2)
		}},
		{"with padding", func(good, _ string) string { return good + "==" }},
		{"with a changed header", func(good, _ string) string {
			return b64([]byte(`{"alg":"EdDSA","kid":"k1"}`)) + "." + part(good, 1) + "." + part(good, 2)
		}},
		{"that calls itself ES256", func(good, _ string) string {
			return b64([]byte(`{"alg":"ES256","kid":"k2"}`)) + "." + part(good, 1) + "." + part(good, 2)
		}},
		{"with an ES256 signature of zeros", func(good, _ string) string {
			return b64([]byte(`{"alg":"ES256","kid":"k2"}`)) + "." + part(good, 1) + "." + b64(make([]byte, 64))
		}},
		{"with an alg in another case", func(good, _ string) string {
			return b64([]byte(`{"alg":"NoNe"}`)) + "." + part(good, 1) + "."
		}},
		{"without an alg", func(good, _ string) string {
			return b64([]byte(`{"kid":"k1"}`)) + "." + part(good, 1) + "." + part(good, 2)
		}},
		{"with a header that is no JSON", func(good, _ string) string { return "eyJ." + part(good, 1) + "." + part(good, 2) }},
		{"of the team's", nil},
	} {
		all = append(all, credential{"a JWT " + row.name, func(t *testing.T, s *suite) proof {
			if row.of == nil {
				return bearing(s.assertion(t, "t1", nil)[access.HeaderAssertion]) // for a bearer, Access is not the way in
			}
			return bearing(row.of(token(t, "k1", nil), token(t, "k1", claims{"sub": "alice", "scope": "admin"})))
		}})
	}
	return all
}

// assertionCredentials are those of Cloudflare Access.
func assertionCredentials() []credential {
	all := []credential{
		shown("an assertion that is no token", withHeader(access.HeaderAssertion, "alice")),
		shown("an assertion that is a static token", withHeader(access.HeaderAssertion, alice)),
		shown("an empty assertion", withHeader(access.HeaderAssertion, "")),
		{"an assertion of the other issuer's", func(t *testing.T, _ *suite) proof { return withHeader(access.HeaderAssertion, token(t, "k1", nil)) }},
		{"an assertion in the team's cookie alone", func(t *testing.T, s *suite) proof {
			return withHeader("Cookie", "CF_Authorization="+s.assertion(t, "t1", nil)[access.HeaderAssertion])
		}},
		{"an assertion with alg none", func(t *testing.T, s *suite) proof {
			return withHeader(access.HeaderAssertion, signed(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, headers{"kid": "t1"}, claims{"iss": s.team.url, "aud": teamAudience, "email": "eve@example.com"}))
		}},
		{"an assertion of a stranger's key", func(t *testing.T, s *suite) proof {
			return withHeader(access.HeaderAssertion, signed(t, jwt.SigningMethodEdDSA, strangerKey, headers{"kid": "t1"}, claims{"iss": s.team.url, "aud": teamAudience, "email": "eve@example.com"}))
		}},
		{"two assertions", func(t *testing.T, s *suite) proof {
			good := s.assertion(t, "t1", nil)[access.HeaderAssertion]
			return proof{more: map[string][]string{access.HeaderAssertion: {good, good}}}
		}},
		{"a wrong token beside an assertion", func(t *testing.T, s *suite) proof {
			p := bearing(stolen)
			p.header[access.HeaderAssertion] = s.assertion(t, "t1", nil)[access.HeaderAssertion]
			return p
		}},
	}
	for _, row := range []struct {
		name, kid string
		change    claims
	}{
		{"for another application", "t1", claims{"aud": "others"}},
		{"of another team", "t1", claims{"iss": "https://other.cloudflareaccess.com"}},
		{"that has expired", "t1", claims{"exp": time.Now().Add(-5 * time.Minute).Unix()}},
		{"without an end", "t1", claims{"exp": nil}},
		{"that is not yet valid", "t1", claims{"nbf": time.Now().Add(5 * time.Minute).Unix()}},
		{"of a key that the team has not", "t9", nil},
		{"of nobody", "t1", claims{"email": ""}},
		{"of a service, without an e-mail address", "t1", claims{"email": nil, "common_name": "ci"}},
	} {
		all = append(all, credential{"an assertion " + row.name, func(t *testing.T, s *suite) proof { return proof{header: s.assertion(t, row.kid, row.change)} }})
	}
	return all
}
