package pass

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"strings"
)

// ParsePrivate reads PASS_PRIVATE_KEY: base64 of the 32-byte seed. The error
// never repeats the text.
func ParsePrivate(s string) (ed25519.PrivateKey, error) {
	seed, err := decode(s)
	if err != nil || len(seed) != ed25519.SeedSize {
		return nil, errors.New("is not base64 of a 32-byte Ed25519 seed")
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

// ParsePublic reads PASS_PUBLIC_KEYS: base64 of 32-byte public keys, separated
// by commas, so that a new key can be known before the old one goes.
func ParsePublic(s string) ([]ed25519.PublicKey, error) {
	var keys []ed25519.PublicKey
	for _, part := range strings.Split(s, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		k, err := decode(part)
		if err != nil || len(k) != ed25519.PublicKeySize {
			return nil, errors.New("is not a list of base64 32-byte Ed25519 public keys")
		}
		keys = append(keys, k)
	}
	if len(keys) == 0 {
		return nil, errors.New("names no key")
	}
	return keys, nil
}

// FormatPrivate and FormatPublic write what the parsers read.
func FormatPrivate(k ed25519.PrivateKey) string {
	return base64.StdEncoding.EncodeToString(k.Seed())
}

// FormatPublic writes one public key.
func FormatPublic(k ed25519.PublicKey) string { return base64.StdEncoding.EncodeToString(k) }

// decode takes the standard and the URL alphabet, padded or not.
func decode(s string) ([]byte, error) {
	s = strings.TrimRight(strings.TrimSpace(s), "=")
	s = strings.NewReplacer("-", "+", "_", "/").Replace(s)
	return base64.RawStdEncoding.Strict().DecodeString(s)
}
