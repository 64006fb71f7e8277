package signed_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/loongclaw/loongclaw/pkg/signed"
)

func mac(text string) []byte {
	h := hmac.New(sha256.New, []byte("a key of this test"))
	h.Write([]byte(text))
	return h.Sum(nil)
}

// A statement is checked before it is read: who knows the key has said it.
func Example() {
	text, err := signed.Sign(map[string]string{"user": "alice"}, mac)
	if err != nil {
		panic(err)
	}
	s, err := signed.Parse(text, 1<<10)
	if err != nil || !hmac.Equal(s.Signature, mac(s.Text)) {
		panic("not signed by us")
	}
	var body struct{ User string }
	if err := s.Decode(&body); err != nil {
		panic(err)
	}
	fmt.Println(body.User)
	// Output: alice
}

func TestAStatementHasOneForm(t *testing.T) {
	text, err := signed.Sign(map[string]string{"user": "alice!"}, mac)
	if err != nil {
		t.Fatal(err)
	}
	body, sum, _ := strings.Cut(text, ".")
	for name, other := range map[string]string{
		"no signature":            body,
		"a line break":            body + "\n." + sum,
		"a line break at the end": text + "\r\n",
		"padding":                 body + "." + sum + "=",
		"another alphabet":        body + "." + strings.Repeat("+", len(sum)),
		"a third part":            text + ".x",
		"longer than allowed":     strings.Repeat("a", 2000) + "." + sum,
		"stray bits":              body + "." + sum[:len(sum)-1] + string(sum[len(sum)-1]+1),
	} {
		if _, err := signed.Parse(other, 1<<10); !errors.Is(err, signed.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, body := range map[string]string{"no base64": "!!", "no JSON": "YWJj"} {
		if err := (signed.Statement{Text: body}).Decode(&struct{}{}); !errors.Is(err, signed.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
