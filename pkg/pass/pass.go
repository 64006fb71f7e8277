package pass

import (
	"crypto"
	"crypto/ed25519"
	"errors"
	"fmt"
	"time"

	"github.com/loongclaw/loongclaw/pkg/signed"
)

// Lifetime is how long a pass counts. It covers one request's way from gateway
// to agent, clocks a little apart included, not the length of an answer.
const Lifetime = 60 * time.Second

// skew is how far the two clocks may differ.
const skew = 30 * time.Second

// maxLen bounds what Verify looks at.
const maxLen = 4 << 10

// domain keeps a signature made for a pass from counting as anything else.
const domain = "loongclaw pass v1\n"

// Pass says who asks for what.
type Pass struct {
	User    string   `json:"u"`
	Scopes  []string `json:"s"`
	Method  string   `json:"m"`
	Path    string   `json:"p"` // escaped path, without the query
	Issued  int64    `json:"i"` // Unix seconds
	Expires int64    `json:"e"`

	// For the audit log: how the user came in ("token:" and a name of the
	// credential that tells nothing about it, "jwt", "access", …), and what the
	// gateway has refused them since it last said so, by code.
	Via     string         `json:"v,omitempty"`
	Refused map[string]int `json:"r,omitempty"`
}

// Has reports whether the pass carries a scope.
func (p Pass) Has(scope string) bool {
	for _, s := range p.Scopes {
		if s == scope {
			return true
		}
	}
	return false
}

// Sign returns the pass's text. Issued and Expires are set from now.
func Sign(key crypto.Signer, p Pass, now time.Time) (string, error) {
	p.Issued, p.Expires = now.Unix(), now.Add(Lifetime).Unix()
	var failed error
	text, err := signed.Sign(p, func(text string) (signature []byte) {
		// Ed25519 signs the message itself and needs no randomness.
		signature, failed = key.Sign(nil, []byte(domain+text), crypto.Hash(0))
		return signature
	})
	if err = errors.Join(err, failed); err != nil {
		return "", fmt.Errorf("pass: %w", err)
	}
	return text, nil
}

// Why a pass does not count.
var (
	ErrMalformed = errors.New("pass: malformed")
	ErrSignature = errors.New("pass: not signed with a known key")
	ErrExpired   = errors.New("pass: expired or not yet valid")
	ErrOther     = errors.New("pass: made for another request")
)

// Verify reads a pass and checks signature, time, method and path.
func Verify(keys []ed25519.PublicKey, text, method, path string, now time.Time) (Pass, error) {
	st, err := signed.Parse(text, maxLen)
	if err != nil || len(st.Signature) != ed25519.SignatureSize {
		return Pass{}, ErrMalformed
	}
	if !isSigned(keys, []byte(domain+st.Text), st.Signature) {
		return Pass{}, ErrSignature
	}
	var p Pass
	if err := st.Decode(&p); err != nil || p.User == "" {
		return Pass{}, ErrMalformed
	}
	if now.After(time.Unix(p.Expires, 0).Add(skew)) || now.Before(time.Unix(p.Issued, 0).Add(-skew)) {
		return Pass{}, ErrExpired
	}
	if p.Method != method || p.Path != path {
		return Pass{}, ErrOther
	}
	return p, nil
}

func isSigned(keys []ed25519.PublicKey, text, sig []byte) bool {
	for _, k := range keys {
		if len(k) == ed25519.PublicKeySize && ed25519.Verify(k, text, sig) {
			return true
		}
	}
	return false
}
