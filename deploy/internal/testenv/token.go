package testenv

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
)

// SignToken makes a JSON Web Token as an issuer does that signs with EdDSA. It is made
// here by hand, and not by the library that the gateway reads tokens with.
func SignToken(key ed25519.PrivateKey, claims map[string]any) (string, error) {
	body, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	encode := base64.RawURLEncoding.EncodeToString
	text := encode([]byte(`{"alg":"EdDSA","typ":"JWT"}`)) + "." + encode(body)
	return text + "." + encode(ed25519.Sign(key, []byte(text))), nil
}
