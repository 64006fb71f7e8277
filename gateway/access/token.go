package access

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MinToken is the shortest token that counts.
const MinToken = 12

// maxCredential bounds what is hashed for a stranger.
const maxCredential = 4 << 10

// maxUser is the longest user name, in bytes.
const maxUser = 64

// Identity is whom a credential speaks for, and what that user may do with it. It
// is kept beside a socket, so it survives JSON.
type Identity struct {
	User    string   `json:"user"`
	Scopes  []string `json:"scopes"`
	Expires int64    `json:"expires,omitempty"` // Unix seconds; 0 is never
	// Via says how the user came in and with which credential, for the audit log.
	// Nothing about the credential can be learned from it.
	Via string `json:"via,omitempty"`
}

// Token is a static token. Only its hash is kept.
type Token struct {
	Identity
	hash [sha256.Size]byte
}

// Tokens are the static tokens, in the order of the configuration.
type Tokens []Token

// ParseTokens reads LOONGCLAW_TOKENS: "alice:TOKEN,bob:TOKEN:read". The error
// joins every fault and names entries by position and user, never by token.
func ParseTokens(s string) (Tokens, error) {
	var all Tokens
	var faults []error
	for i, entry := range strings.Split(s, ",") {
		if entry = strings.TrimSpace(entry); entry == "" {
			continue
		}
		t, err := parseToken(entry)
		if err == nil && all.knows(t.hash) {
			err = errors.New("has the token of an entry before it; give each its own")
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("entry %d %w", i+1, err))
			continue
		}
		all = append(all, t)
	}
	return all, errors.Join(faults...)
}

func parseToken(entry string) (Token, error) {
	parts := strings.Split(entry, ":")
	if len(parts) < 2 || len(parts) > 3 {
		return Token{}, errors.New("is not user:TOKEN or user:TOKEN:scope")
	}
	user, secret := strings.TrimSpace(parts[0]), strings.TrimSpace(parts[1])
	if err := checkUser(user); err != nil {
		return Token{}, err
	}
	switch {
	case len(secret) < MinToken:
		return Token{}, fmt.Errorf("%shas a token shorter than %d characters; `gateway token` prints a good one", said(user), MinToken)
	case len(secret) > maxCredential:
		return Token{}, fmt.Errorf("%shas a token longer than %d characters", said(user), maxCredential)
	case strings.ContainsFunc(secret, func(r rune) bool { return r <= ' ' || r > '~' }):
		return Token{}, fmt.Errorf("%shas a token with a character that no header can carry; `gateway token` prints a good one", said(user))
	}
	t := Token{Identity: Identity{User: user, Scopes: AllScopes()}, hash: sha256.Sum256([]byte(secret))}
	if len(parts) == 3 {
		scopes, err := ParseScopes(parts[2])
		if err != nil {
			return Token{}, fmt.Errorf("%s%w", said(user), err)
		}
		t.Scopes = scopes
	}
	return t, nil
}

// NewEntry makes an entry for LOONGCLAW_TOKENS with a new token. An empty scope is
// all of them.
func NewEntry(user, scope string) (string, error) {
	if err := checkUser(user); err != nil {
		return "", fmt.Errorf("%q %w", user, err)
	}
	entry := user + ":" + NewToken()
	if scope == "" {
		return entry, nil
	}
	if _, err := ParseScopes(scope); err != nil {
		return "", fmt.Errorf("%q %w", scope, err)
	}
	return entry + ":" + scope, nil
}

// Of gives a user's first token.
func (ts Tokens) Of(user string) (Token, bool) {
	i := slices.IndexFunc(ts, func(t Token) bool { return t.User == user })
	if i < 0 {
		return Token{}, false
	}
	return ts[i], true
}

// said names an entry's user in an error, unless it could be a token that stands in
// the wrong place.
func said(user string) string {
	if len(user) >= MinToken {
		return ""
	}
	return "(user " + user + ") "
}

// checkUser keeps names to what is safe in a log line and a header. How a name
// becomes a key in the store is the agent's concern.
func checkUser(name string) error {
	ok := func(r rune) bool {
		return unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("._-@+", r)
	}
	switch {
	case name == "":
		return errors.New("has no user before its colon")
	case len(name) > maxUser, !utf8.ValidString(name), strings.Trim(name, ".") == "",
		strings.ContainsFunc(name, func(r rune) bool { return !ok(r) }):
		return fmt.Errorf("has a user name that is not 1 to %d bytes of letters, digits and . _ - @ +", maxUser)
	}
	return nil
}

// Find says what a token gives.
func (ts Tokens) Find(secret string) (Identity, bool) {
	t, ok := ts.Lookup(secret)
	return t.Identity, ok
}

// Lookup gives the token itself.
func (ts Tokens) Lookup(secret string) (Token, bool) {
	if i := ts.Index(secret); i >= 0 {
		return ts[i], true
	}
	return Token{}, false
}

// Index returns where a token stands among them, and -1 for what is none. Its time does
// not depend on which one matches.
func (ts Tokens) Index(secret string) int {
	if len(secret) > maxCredential {
		return -1
	}
	hash := sha256.Sum256([]byte(secret))
	found := -1
	for i := range ts {
		found = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(ts[i].hash[:], hash[:]), i, found)
	}
	return found
}

func (ts Tokens) knows(hash [sha256.Size]byte) bool {
	for i := range ts {
		if ts[i].hash == hash {
			return true
		}
	}
	return false
}

// NewToken makes a random token that fits a header, a URL and a WebSocket
// subprotocol.
func NewToken() string {
	var b [24]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	return base64.RawURLEncoding.EncodeToString(b[:])
}
