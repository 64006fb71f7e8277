package access

import (
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// The ways in, as a user's ledger names them.
const (
	ViaLoopback = "loopback"
	ViaToken    = "token"
	ViaSession  = "session" // what a login gave, as a token or a cookie
	ViaJWT      = "jwt"
	ViaAccess   = "access"
)

// Namer gives credentials names for the ledger. They are made with a key, so
// that whoever reads the store cannot try tokens against them.
type Namer struct{ key []byte }

// NewNamer derives the key from the seed of the pass's key.
func NewNamer(pass ed25519.PrivateKey) (Namer, error) {
	key, err := hkdf.Key(sha256.New, pass.Seed(), nil, "loongclaw credential name v1", sha256.Size)
	if err != nil {
		return Namer{}, fmt.Errorf("access: deriving the key of credentials' names: %w", err)
	}
	return Namer{key}, nil
}

// Name is the way in and 6 bytes that tell one credential from another.
func (n Namer) Name(way, secret string) string {
	h := hmac.New(sha256.New, n.key)
	h.Write([]byte(secret))
	return way + ":" + hex.EncodeToString(h.Sum(nil)[:6])
}
