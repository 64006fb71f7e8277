package access

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"
)

// issuer has a key of every kind that counts.
type issuer struct {
	ed  ed25519.PrivateKey
	ec  *ecdsa.PrivateKey
	rsa *rsa.PrivateKey
	jwt *JWT
}

var jwtNow = time.Unix(1_800_000_000, 0)

func newIssuer(t testing.TB) *issuer {
	t.Helper()
	i := &issuer{ed: ed25519.NewKeyFromSeed([]byte("issuer issuer issuer issuer 1234"))}
	var err1, err2 error
	i.ec, err1 = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	i.rsa, err2 = rsa.GenerateKey(rand.Reader, 2048)
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	var err error
	i.jwt, err = NewJWT("https://issuer.example", "loongclaw", i.jwks(), "sub", "scope")
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func (i *issuer) jwks() string {
	b64 := base64.RawURLEncoding.EncodeToString
	point, _ := i.ec.PublicKey.Bytes()
	set := map[string]any{"keys": []map[string]any{
		{"kty": "OKP", "crv": "Ed25519", "kid": "ed", "x": b64(i.ed.Public().(ed25519.PublicKey))},
		{"kty": "EC", "crv": "P-256", "kid": "ec", "use": "sig", "alg": "ES256", "x": b64(point[1:33]), "y": b64(point[33:])},
		{"kty": "RSA", "kid": "rsa", "n": b64(i.rsa.N.Bytes()), "e": "AQAB"},
		{"kty": "RSA", "kid": "enc", "use": "enc", "n": b64(i.rsa.N.Bytes()), "e": "AQAB"},
		{"kty": "EC", "crv": "P-521", "kid": "other"},
	}}
	b, _ := json.Marshal(set)
	return string(b)
}

func claims(change map[string]any) jwt.MapClaims {
	c := jwt.MapClaims{"iss": "https://issuer.example", "aud": "loongclaw", "sub": "alice", "exp": jwtNow.Unix() + 60}
	maps.Copy(c, change)
	for k, v := range c {
		if v == nil {
			delete(c, k)
		}
	}
	return c
}

func sign(t testing.TB, m jwt.SigningMethod, key any, kid string, c jwt.MapClaims) string {
	t.Helper()
	tok := jwt.NewWithClaims(m, c)
	if kid != "" {
		tok.Header["kid"] = kid
	}
	text, err := tok.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestJWTsThatCount(t *testing.T) {
	i := newIssuer(t)
	all := []string{"read", "chat", "admin"}
	for name, tc := range map[string]struct {
		text string
		want Identity
	}{
		"EdDSA":        {sign(t, jwt.SigningMethodEdDSA, i.ed, "ed", claims(nil)), Identity{User: "alice", Scopes: all[:2]}},
		"ES256":        {sign(t, jwt.SigningMethodES256, i.ec, "ec", claims(nil)), Identity{User: "alice", Scopes: all[:2]}},
		"RS256":        {sign(t, jwt.SigningMethodRS256, i.rsa, "rsa", claims(nil)), Identity{User: "alice", Scopes: all[:2]}},
		"no kid":       {sign(t, jwt.SigningMethodES256, i.ec, "", claims(nil)), Identity{User: "alice", Scopes: all[:2]}},
		"audiences":    {sign(t, jwt.SigningMethodEdDSA, i.ed, "ed", claims(map[string]any{"aud": []string{"x", "loongclaw"}})), Identity{User: "alice", Scopes: all[:2]}},
		"read":         {sign(t, jwt.SigningMethodEdDSA, i.ed, "ed", claims(map[string]any{"scope": "openid read"})), Identity{User: "alice", Scopes: all[:1]}},
		"admin":        {sign(t, jwt.SigningMethodEdDSA, i.ed, "ed", claims(map[string]any{"scope": []string{"admin"}})), Identity{User: "alice", Scopes: all}},
		"no scope":     {sign(t, jwt.SigningMethodEdDSA, i.ed, "ed", claims(map[string]any{"scope": "openid ADMIN"})), Identity{User: "alice", Scopes: []string{}}},
		"odd scope":    {sign(t, jwt.SigningMethodEdDSA, i.ed, "ed", claims(map[string]any{"scope": 7})), Identity{User: "alice", Scopes: []string{}}},
		"their clock":  {sign(t, jwt.SigningMethodEdDSA, i.ed, "ed", claims(map[string]any{"nbf": jwtNow.Unix() + 29})), Identity{User: "alice", Scopes: all[:2]}},
		"just expired": {sign(t, jwt.SigningMethodEdDSA, i.ed, "ed", claims(map[string]any{"exp": jwtNow.Unix() - 29})), Identity{User: "alice", Scopes: all[:2], Expires: jwtNow.Unix() + 1}},
	} {
		if tc.want.Expires == 0 {
			tc.want.Expires = jwtNow.Unix() + 90
		}
		got, err := i.jwt.Verify(tc.text, jwtNow)
		if diff := cmp.Diff(tc.want, got); diff != "" || err != nil || !LooksLikeJWT(tc.text) {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
}

// raw puts a token together from parts that no library would sign.
func raw(header, payload string, sig []byte) string {
	b64 := base64.RawURLEncoding.EncodeToString
	return b64([]byte(header)) + "." + b64([]byte(payload)) + "." + b64(sig)
}

func TestJWTsThatDoNotCount(t *testing.T) {
	i := newIssuer(t)
	stranger := newIssuer(t)
	good := sign(t, jwt.SigningMethodEdDSA, i.ed, "ed", claims(nil))
	body, err := json.Marshal(claims(nil))
	if err != nil {
		t.Fatal(err)
	}
	edWith := func(c map[string]any) string { return sign(t, jwt.SigningMethodEdDSA, i.ed, "ed", claims(c)) }
	der, _ := x509.MarshalPKIXPublicKey(&i.rsa.PublicKey)
	asPEM := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	crit := jwt.NewWithClaims(jwt.SigningMethodEdDSA, claims(nil))
	crit.Header["kid"], crit.Header["crit"] = "ed", []string{"b64"}
	critical, _ := crit.SignedString(i.ed)
	kid := jwt.NewWithClaims(jwt.SigningMethodEdDSA, claims(nil))
	kid.Header["kid"] = 5
	oddKid, _ := kid.SignedString(i.ed)
	for name, text := range map[string]string{
		"stranger's ES256":      sign(t, jwt.SigningMethodES256, stranger.ec, "ec", claims(nil)),
		"stranger's RS256":      sign(t, jwt.SigningMethodRS256, stranger.rsa, "rsa", claims(nil)),
		"another key's kid":     sign(t, jwt.SigningMethodES256, i.ec, "rsa", claims(nil)),
		"unknown kid":           sign(t, jwt.SigningMethodEdDSA, i.ed, "new", claims(nil)),
		"kid of no use":         sign(t, jwt.SigningMethodRS256, i.rsa, "enc", claims(nil)),
		"kid is no text":        oddKid,
		"crit":                  critical,
		"none":                  sign(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, "ed", claims(nil)),
		"None":                  raw(`{"alg":"None"}`, string(body), nil),
		"none with a signature": raw(`{"alg":"none","kid":"ed"}`, string(body), []byte("x")),
		"HS256 with the PEM":    sign(t, jwt.SigningMethodHS256, asPEM, "rsa", claims(nil)),
		"HS256 with the DER":    sign(t, jwt.SigningMethodHS256, der, "rsa", claims(nil)),
		"HS256 with Ed25519":    sign(t, jwt.SigningMethodHS256, []byte(i.ed.Public().(ed25519.PublicKey)), "ed", claims(nil)),
		"HS256 without kid":     sign(t, jwt.SigningMethodHS256, []byte{}, "", claims(nil)),
		"RS512":                 sign(t, jwt.SigningMethodRS512, i.rsa, "rsa", claims(nil)),
		"PS256":                 sign(t, jwt.SigningMethodPS256, i.rsa, "rsa", claims(nil)),
		"no alg":                raw(`{"kid":"ed"}`, string(body), []byte("x")),
		"no issuer":             edWith(map[string]any{"iss": nil}),
		"other issuer":          edWith(map[string]any{"iss": "https://issuer.example/"}),
		"no audience":           edWith(map[string]any{"aud": nil}),
		"wrong audience":        edWith(map[string]any{"aud": "loongclaw-2"}),
		"empty audiences":       edWith(map[string]any{"aud": []string{}}),
		"no expiry":             edWith(map[string]any{"exp": nil}),
		"expired":               edWith(map[string]any{"exp": jwtNow.Unix() - 31}),
		"expiry is text":        edWith(map[string]any{"exp": "tomorrow"}),
		"endless expiry":        edWith(map[string]any{"exp": 1e300}),
		"not yet":               edWith(map[string]any{"nbf": jwtNow.Unix() + 31}),
		"no user":               edWith(map[string]any{"sub": nil}),
		"user is a number":      edWith(map[string]any{"sub": 5}),
		"user is a path":        edWith(map[string]any{"sub": "../bob"}),
		"user is long":          edWith(map[string]any{"sub": strings.Repeat("a", 65)}),
		"user with a line":      edWith(map[string]any{"sub": "a\nb"}),
		"huge":                  edWith(map[string]any{"x": strings.Repeat("a", maxJWT)}),
		"claims are null":       raw(`{"alg":"EdDSA"}`, "null", []byte("x")),
		"two parts":             strings.Join(strings.Split(good, ".")[:2], "."),
		"empty signature":       good[:strings.LastIndex(good, ".")+1],
		"four parts":            good + ".x",
		"nothing":               "", "dots": "..",
	} {
		if g, err := i.jwt.Verify(text, jwtNow); err == nil {
			t.Errorf("%s: it counts as %+v", name, g)
		}
	}
	for n := range good {
		if g, err := i.jwt.Verify(good[:n], jwtNow); err == nil {
			t.Fatalf("cut after %d bytes it counts as %v", n, g)
		}
		forged := []byte(good)
		forged[n] ^= 1
		if g, err := i.jwt.Verify(string(forged), jwtNow); err == nil {
			t.Fatalf("byte %d changed and it counts as %v", n, g)
		}
	}
}

func TestKeysAsPEM(t *testing.T) {
	i := newIssuer(t)
	block := func(kid string, public crypto.PublicKey) string {
		der, err := x509.MarshalPKIXPublicKey(public)
		if err != nil {
			t.Fatal(err)
		}
		b := &pem.Block{Type: "PUBLIC KEY", Bytes: der}
		if kid != "" {
			b.Headers = map[string]string{"kid": kid}
		}
		return string(pem.EncodeToMemory(b))
	}
	two := block("new", i.ed.Public()) + block("", &i.ec.PublicKey)
	for _, text := range []string{two, strings.ReplaceAll(two, "\n", `\n`)} {
		set, err := ParseKeys(text)
		if err != nil || len(set) != 2 || set[0].ID != "new" || set[0].Alg != "EdDSA" || set[1].Alg != "ES256" {
			t.Fatalf("got %+v, %v", set, err)
		}
		j := *i.jwt
		j.Keys = set
		for kid, want := range map[string]bool{"new": true, "old": false, "": true} {
			if _, err := j.Verify(sign(t, jwt.SigningMethodEdDSA, i.ed, kid, claims(nil)), jwtNow); (err == nil) != want {
				t.Errorf("kid %q: %v", kid, err)
			}
		}
		if _, err := j.Verify(sign(t, jwt.SigningMethodES256, i.ec, "any", claims(nil)), jwtNow); err != nil {
			t.Errorf("a key without kid: %v", err)
		}
	}
	private, _ := x509.MarshalPKCS8PrivateKey(i.ed)
	small, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	for name, text := range map[string]string{
		"empty": " ", "words": "secret-words", "trailing": two + "secret-rest",
		"private PEM":  string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})),
		"certificate":  string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: private})),
		"broken PEM":   string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: []byte("secret")})),
		"P-384":        block("", &small.PublicKey),
		"private JWK":  `{"keys":[{"kty":"OKP","crv":"Ed25519","x":"` + strings.Repeat("A", 43) + `","d":"secret"}]}`,
		"secret JWK":   `{"keys":[{"kty":"oct","k":"secret"}]}`,
		"small RSA":    `{"keys":[{"kty":"RSA","n":"secret","e":"AQAB"}]}`,
		"even RSA":     `{"keys":[{"kty":"RSA","n":"` + strings.Repeat("_", 342) + `","e":"Ag"}]}`,
		"off curve":    `{"keys":[{"kty":"EC","crv":"P-256","x":"` + strings.Repeat("A", 43) + `","y":"` + strings.Repeat("A", 43) + `"}]}`,
		"none of ours": `{"keys":[{"kty":"EC","crv":"P-521"}]}`,
		"no set":       `{"keys":5}`, "huge": "{" + strings.Repeat(" ", maxKeySet) + "}",
	} {
		set, err := ParseKeys(text)
		if err == nil || strings.Contains(strings.ReplaceAll(err.Error(), "holds a secret or", ""), "secret") {
			t.Errorf("%s: got %+v, %v", name, set, err)
		}
	}
}

func FuzzJWT(f *testing.F) {
	i := newIssuer(f)
	good := sign(f, jwt.SigningMethodEdDSA, i.ed, "ed", claims(nil))
	f.Add(good)
	f.Add(raw(`{"alg":"none"}`, `{}`, nil))
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := i.jwt.Verify(text, jwtNow); err == nil && text != good {
			t.Errorf("%q counts", text)
		}
	})
}

func FuzzKeys(f *testing.F) {
	f.Add(newIssuer(f).jwks())
	f.Add("-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----")
	f.Fuzz(func(t *testing.T, text string) {
		if set, err := ParseKeys(text); err == nil && len(set) == 0 {
			t.Errorf("%q is a set without a key", text)
		}
	})
}
