package access

import (
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/loongclaw/loongclaw/pkg/signed"
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

// session is what a session token says.
type session struct {
	User    string   `json:"u"`
	Scopes  []string `json:"s"`
	Expires int64    `json:"e"`
}

// Mint makes a session token for the static token t.
func (s *Sessions) Mint(t Token, now time.Time) (string, Identity, error) {
	return s.MintFor(t, t.Scopes, SessionLifetime, now)
}

// MintFor makes one with fewer scopes, or for a shorter time.
func (s *Sessions) MintFor(t Token, scopes []string, life time.Duration, now time.Time) (string, Identity, error) {
	if life <= 0 || life > SessionLifetime {
		return "", Identity{}, fmt.Errorf("a session token counts for up to %s", SessionLifetime)
	}
	if slices.ContainsFunc(scopes, t.lacks) {
		return "", Identity{}, fmt.Errorf("the token of %s has only %s", t.User, strings.Join(t.Scopes, ", "))
	}
	g := Identity{User: t.User, Scopes: scopes, Expires: now.Add(life).Unix()}
	text, err := signed.Sign(session{g.User, g.Scopes, g.Expires}, func(text string) []byte { return s.mac(text, t) })
	if err != nil {
		return "", Identity{}, fmt.Errorf("access: writing a session token: %w", err)
	}
	return sessionPrefix + text, g, nil
}

// Find returns whom a session token speaks for.
func (s *Sessions) Find(secret string, now time.Time) (Identity, bool) {
	rest, ok := strings.CutPrefix(secret, sessionPrefix)
	if !ok {
		return Identity{}, false
	}
	st, err := signed.Parse(rest, maxCredential)
	if err != nil {
		return Identity{}, false
	}
	for _, t := range s.tokens {
		if !hmac.Equal(st.Signature, s.mac(st.Text, t)) {
			continue
		}
		var v session
		if st.Decode(&v) != nil {
			return Identity{}, false
		}
		id := Identity{User: v.User, Scopes: v.Scopes, Expires: v.Expires}
		return id, id.User == t.User && now.Unix() < id.Expires && !slices.ContainsFunc(id.Scopes, t.lacks)
	}
	return Identity{}, false
}

func (t Token) lacks(scope string) bool { return !slices.Contains(t.Scopes, scope) }

// mac takes in the static token's hash: that is what binds the two.
func (s *Sessions) mac(text string, t Token) []byte {
	h := hmac.New(sha256.New, s.key)
	h.Write(t.hash[:])
	h.Write([]byte(text))
	return h.Sum(nil)
}
