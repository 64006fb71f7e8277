package access

import (
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// sessionPrefix marks a session token, so that it is never looked for among the
// static ones.
const sessionPrefix = "lcs_"

// SessionLifetime is how long a session token counts.
const SessionLifetime = 30 * 24 * time.Hour

// Sessions mints and checks session tokens: what a browser gets for a login code,
// so that the static token itself never stands in a page. A session is bound to
// the static token it stands for: when that one goes or changes, it ends.
type Sessions struct {
	key    []byte
	tokens Tokens
}

// NewSessions derives the signing key from the seed of the pass's key, so that
// there is one secret to keep, and every instance with it knows the sessions of
// the others.
func NewSessions(pass ed25519.PrivateKey, tokens Tokens) (*Sessions, error) {
	key, err := hkdf.Key(sha256.New, pass.Seed(), nil, "loongclaw session token v1", sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("access: deriving the session key: %w", err)
	}
	return &Sessions{key: key, tokens: tokens}, nil
}

type session struct {
	User    string   `json:"u"`
	Scopes  []string `json:"s"`
	Expires int64    `json:"e"`
	Via     string   `json:"-"`
}

// Mint makes a session token for the static token t.
func (s *Sessions) Mint(t Token, now time.Time) (string, Grant, error) {
	return s.MintFor(t, t.Scopes, SessionLifetime, now)
}

// MintFor makes one with fewer scopes, or for a shorter time.
func (s *Sessions) MintFor(t Token, scopes []string, life time.Duration, now time.Time) (string, Grant, error) {
	if life <= 0 || life > SessionLifetime {
		return "", Grant{}, fmt.Errorf("a session token counts for up to %s", SessionLifetime)
	}
	if slices.ContainsFunc(scopes, t.lacks) {
		return "", Grant{}, fmt.Errorf("the token of %s has only %s", t.User, strings.Join(t.Scopes, ", "))
	}
	g := Grant{User: t.User, Scopes: scopes, Expires: now.Add(life).Unix()}
	body, err := json.Marshal(session(g))
	if err != nil {
		return "", Grant{}, fmt.Errorf("access: writing a session token: %w", err)
	}
	text := base64.RawURLEncoding.EncodeToString(body)
	return sessionPrefix + text + "." + base64.RawURLEncoding.EncodeToString(s.mac(text, t)), g, nil
}

// Find says what a session token gives.
func (s *Sessions) Find(secret string, now time.Time) (Grant, bool) {
	rest, ok := strings.CutPrefix(secret, sessionPrefix)
	if !ok || len(secret) > maxCredential {
		return Grant{}, false
	}
	text, sum, ok := strings.Cut(rest, ".")
	if !ok {
		return Grant{}, false
	}
	mac, err := base64.RawURLEncoding.Strict().DecodeString(sum)
	if err != nil {
		return Grant{}, false
	}
	for _, t := range s.tokens {
		if !hmac.Equal(mac, s.mac(text, t)) {
			continue
		}
		g, ok := readSession(text)
		return g, ok && g.User == t.User && now.Unix() < g.Expires && !slices.ContainsFunc(g.Scopes, t.lacks)
	}
	return Grant{}, false
}

func readSession(text string) (Grant, bool) {
	body, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return Grant{}, false
	}
	var v session
	if json.Unmarshal(body, &v) != nil {
		return Grant{}, false
	}
	return Grant(v), true
}

func (t Token) lacks(scope string) bool { return !slices.Contains(t.Scopes, scope) }

// mac takes in the static token's hash: that is what binds the two.
func (s *Sessions) mac(text string, t Token) []byte {
	h := hmac.New(sha256.New, s.key)
	h.Write(t.hash[:])
	h.Write([]byte(text))
	return h.Sum(nil)
}
