// Package signed is the form of a signed statement: a JSON body and a signature,
// each in base64url without padding, joined by a dot. It has one form only, so that
// no two texts are the same statement.
//
// Owns: the form.
// Touches: nothing.
// Never: knows a key. What signs and what checks comes from the caller.
package signed

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
)

// ErrMalformed is the error of a text that is no signed statement.
var ErrMalformed = errors.New("signed: malformed")

// Sign returns the statement of a body. sign returns the signature of a text.
func Sign(body any, sign func(text string) []byte) (string, error) {
	b, err := json.Marshal(body)
	if err != nil {
		return "", err
	}
	text := base64.RawURLEncoding.EncodeToString(b)
	return text + "." + base64.RawURLEncoding.EncodeToString(sign(text)), nil
}

// Statement is a statement that was read. Nothing of it is to be believed before
// its signature was checked.
type Statement struct {
	Text      string // what is signed
	Signature []byte
}

// Parse takes a statement of at most limit bytes apart.
func Parse(statement string, limit int) (Statement, error) {
	text, sum, ok := strings.Cut(statement, ".")
	// The decoder skips line breaks, and a statement has one form only.
	if !ok || len(statement) > limit || strings.ContainsAny(statement, "\r\n") {
		return Statement{}, ErrMalformed
	}
	signature, err := base64.RawURLEncoding.Strict().DecodeString(sum)
	if err != nil {
		return Statement{}, ErrMalformed
	}
	return Statement{text, signature}, nil
}

// Decode reads the body.
func (s Statement) Decode(body any) error {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s.Text)
	if err != nil || json.Unmarshal(b, body) != nil {
		return ErrMalformed
	}
	return nil
}
