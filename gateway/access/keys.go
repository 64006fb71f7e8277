package access

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"
)

// What is read of a set of keys. A set of an issuer has a handful.
const (
	maxKeySet = 64 << 10
	maxKeyIDs = 64
)

// RSA keys of other sizes are too weak, or cost too much for each stranger's
// token.
const (
	minRSA = 2048
	maxRSA = 8192
)

// Key is an issuer's public key. It serves one algorithm, its own type's: what a
// token says about itself never chooses.
type Key struct {
	ID     string // kid; empty serves tokens with any
	Alg    string
	public crypto.PublicKey
}

// KeySet are the keys of one issuer.
type KeySet []Key

// ParseKeys reads public keys, as a JSON Web Key Set or as PEM blocks. A PEM block
// may have its kid as a header. The error repeats nothing of the text.
func ParseKeys(text string) (KeySet, error) {
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return nil, errors.New("is empty; put the issuer's public keys here, as PEM or as the JSON of its key set (JWKS)")
	case len(text) > maxKeySet:
		return nil, fmt.Errorf("is longer than %d bytes; keep the keys that are in use", maxKeySet)
	case strings.HasPrefix(text, "{"):
		return parseJWKS(text)
	}
	// Variables that cannot hold lines often hold \n.
	return parsePEM(strings.ReplaceAll(text, `\n`, "\n"))
}

func parsePEM(text string) (KeySet, error) {
	var all KeySet
	rest := []byte(text)
	for len(all) <= maxKeyIDs {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		public, err := parseBlock(block)
		if err != nil {
			return nil, err
		}
		k, err := newKey(block.Headers["kid"], public)
		if err != nil {
			return nil, err
		}
		all = append(all, k)
	}
	if len(all) == 0 || strings.TrimSpace(string(rest)) != "" {
		return nil, errors.New("holds what is neither PEM nor the JSON of a key set; a PEM key starts with -----BEGIN PUBLIC KEY-----")
	}
	return all, all.check()
}

func parseBlock(block *pem.Block) (public crypto.PublicKey, err error) {
	switch block.Type {
	case "PUBLIC KEY":
		public, err = x509.ParsePKIXPublicKey(block.Bytes)
	case "RSA PUBLIC KEY":
		public, err = x509.ParsePKCS1PublicKey(block.Bytes)
	default:
		if strings.Contains(block.Type, "PRIVATE") {
			return nil, errPrivate
		}
		return nil, errors.New("holds a PEM block that is no public key; openssl x509 -pubkey -noout takes one out of a certificate")
	}
	if err != nil {
		return nil, errors.New("holds a PEM block that cannot be read; copy the key again, with its lines")
	}
	return public, nil
}

var errPrivate = errors.New("holds a secret or private key; it belongs to the issuer alone: put the public one here, and make a new pair")

// jwk is a key of a set. Members that only private keys have are there to be
// refused.
type jwk struct {
	Kty, Crv, Kid, Use, Alg string
	N, E, X, Y              string
	D, K                    *json.RawMessage
}

// parseJWKS reads a set as issuers publish it. Keys for other uses and of other
// types are left out.
func parseJWKS(text string) (KeySet, error) {
	var set struct{ Keys []jwk }
	if json.Unmarshal([]byte(text), &set) != nil {
		return nil, errors.New(`is not the JSON of a key set; it looks like {"keys":[{"kty":…}]}`)
	}
	var all KeySet
	for _, j := range set.Keys {
		if j.D != nil || j.K != nil {
			return nil, errPrivate
		}
		if j.Use != "" && j.Use != "sig" {
			continue
		}
		public, err := j.public()
		if err != nil {
			return nil, err
		}
		if public == nil {
			continue
		}
		k, err := newKey(j.Kid, public)
		if err != nil {
			return nil, err
		}
		if j.Alg == "" || j.Alg == k.Alg {
			all = append(all, k)
		}
	}
	if len(all) == 0 {
		return nil, errors.New("holds no key for EdDSA (Ed25519), ES256 or RS256; these are the algorithms that count")
	}
	return all, all.check()
}

func (s KeySet) check() error {
	if len(s) > maxKeyIDs {
		return fmt.Errorf("holds more than %d keys; keep those that are in use", maxKeyIDs)
	}
	return nil
}

// public is the key itself; nil when it is of a type that does not count.
func (j jwk) public() (crypto.PublicKey, error) {
	broken := errors.New("holds a key that cannot be read; copy the set again")
	switch j.Kty + " " + j.Crv {
	case "RSA ":
		n, err1 := field(j.N)
		e, err2 := field(j.E)
		if err1 != nil || err2 != nil || len(e) > 4 {
			return nil, broken
		}
		return &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())}, nil
	case "EC P-256":
		x, err1 := field(j.X)
		y, err2 := field(j.Y)
		if err1 != nil || err2 != nil || len(x) != 32 || len(y) != 32 {
			return nil, broken
		}
		public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append(append([]byte{4}, x...), y...))
		if err != nil {
			return nil, broken
		}
		return public, nil
	case "OKP Ed25519":
		x, err := field(j.X)
		if err != nil || len(x) != ed25519.PublicKeySize {
			return nil, broken
		}
		return ed25519.PublicKey(x), nil
	}
	return nil, nil
}

func field(text string) ([]byte, error) {
	return base64.RawURLEncoding.DecodeString(strings.TrimRight(text, "="))
}

// newKey binds a key to the one algorithm of its type.
func newKey(id string, public crypto.PublicKey) (Key, error) {
	k := Key{ID: id, public: public}
	switch p := public.(type) {
	case ed25519.PublicKey:
		k.Alg = "EdDSA"
	case *ecdsa.PublicKey:
		if p.Curve != elliptic.P256() {
			return Key{}, errors.New("holds an EC key of another curve than P-256; ES256 needs that one")
		}
		k.Alg = "ES256"
	case *rsa.PublicKey:
		if bits := p.N.BitLen(); bits < minRSA || bits > maxRSA || p.E < 3 || p.E%2 == 0 {
			return Key{}, fmt.Errorf("holds an RSA key that is not of %d to %d bits with an odd exponent; make a new one", minRSA, maxRSA)
		}
		k.Alg = "RS256"
	default:
		return Key{}, errors.New("holds a key of a type that does not count; Ed25519, EC P-256 and RSA do")
	}
	return k, nil
}

// find gives the keys that a token with this kid and algorithm may be signed
// with.
func (s KeySet) find(id, alg string) []Key {
	var found []Key
	for _, k := range s {
		if k.Alg == alg && (id == "" || k.ID == "" || k.ID == id) {
			found = append(found, k)
		}
	}
	return found
}
