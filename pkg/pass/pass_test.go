package pass

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"
)

var now = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// key makes the same key for the same letter.
func key(letter string) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte(letter), ed25519.SeedSize))
}

func public(letters ...string) []ed25519.PublicKey {
	var keys []ed25519.PublicKey
	for _, l := range letters {
		keys = append(keys, key(l).Public().(ed25519.PublicKey))
	}
	return keys
}

var alice = Pass{User: "alice@example.org/熊", Scopes: []string{"read", "chat"}, Method: "POST", Path: "/api/sessions/a%2Fb/runs"}

func signed1(t testing.TB, p Pass) string {
	t.Helper()
	text, err := Sign(key("a"), p, now)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestAPassSaysWhoAsksForWhat(t *testing.T) {
	got, err := Verify(public("a"), signed1(t, alice), "POST", alice.Path, now)
	want := alice
	want.Issued, want.Expires = now.Unix(), now.Add(time.Minute).Unix()
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	if !got.Has("chat") || got.Has("admin") || got.Has("") || (Pass{}).Has("read") {
		t.Errorf("scopes: %v", got.Scopes)
	}
}

// A pass that is in a log or on a wire somewhere stays readable for the next
// release: both sides are not replaced in the same moment.
func TestThePassOfTheFirstReleaseIsStillRead(t *testing.T) {
	const text = "eyJ1IjoiYWxpY2VAZXhhbXBsZS5vcmcv54aKIiwicyI6WyJyZWFkIiwiY2hhdCJdLCJtIjoiUE9TVCIsInAiOiIvYXBpL3Nlc3Npb25zL2ElMkZiL3J1bnMiLCJpIjoxNzcyNjAwNzY3LCJlIjoxNzcyNjAwODI3fQ.imjMunUFE4Sssz1ju68hurTw0zUJ4AVdhwC4YtMp0yRwHMe_NIPWYS1u8TthMHOQJD4syuPQ5qQh7u8yRgIgAw"
	if got := signed1(t, alice); got != text {
		t.Errorf("the form changed: got %s", got)
	}
	if _, err := Verify(public("a"), text, "POST", alice.Path, now); err != nil {
		t.Error(err)
	}
}

func TestAPassCountsForOneRequest(t *testing.T) {
	text := signed1(t, alice)
	for _, c := range []struct{ method, path string }{
		{"GET", alice.Path},
		{"DELETE", alice.Path},
		{"post", alice.Path},
		{"", alice.Path},
		{"POST", "/api/sessions/a/b/runs"},
		{"POST", alice.Path + "/"},
		{"POST", alice.Path + "?x=1"},
		{"POST", "/api/sessions/a%2fb/runs"},
		{"POST", ""},
	} {
		if got, err := Verify(public("a"), text, c.method, c.path, now); !errors.Is(err, ErrOther) || !reflect.DeepEqual(got, Pass{}) {
			t.Errorf("%s %s: got %+v, %v", c.method, c.path, got, err)
		}
	}
}

func TestAPassCountsForAMinute(t *testing.T) {
	text := signed1(t, alice)
	for after, want := range map[time.Duration]error{
		-31 * time.Second: ErrExpired, -30 * time.Second: nil, 0: nil, time.Minute: nil,
		90 * time.Second: nil, 91 * time.Second: ErrExpired, 24 * time.Hour: ErrExpired,
	} {
		if _, err := Verify(public("a"), text, "POST", alice.Path, now.Add(after)); !errors.Is(err, want) {
			t.Errorf("%v later: got %v, want %v", after, err, want)
		}
	}
	old := alice
	old.Expires = now.Add(time.Hour).Unix()
	got, err := Verify(public("a"), signed1(t, old), "POST", alice.Path, now)
	if err != nil || got.Expires != now.Add(Lifetime).Unix() {
		t.Errorf("whoever signs chose the lifetime: %+v, %v", got, err)
	}
}

func TestKeysRotate(t *testing.T) {
	text := signed1(t, alice)
	for _, c := range []struct {
		name string
		keys []ed25519.PublicKey
		want error
	}{
		{"old and new", public("a", "b"), nil},
		{"new and old", public("b", "a"), nil},
		{"new only", public("b"), ErrSignature},
		{"none", nil, ErrSignature},
		{"an empty one", []ed25519.PublicKey{{}}, ErrSignature},
		{"a short one beside it", []ed25519.PublicKey{public("a")[0][:31], public("a")[0]}, nil},
		{"all zero", []ed25519.PublicKey{make([]byte, 32)}, ErrSignature},
	} {
		if _, err := Verify(c.keys, text, "POST", alice.Path, now); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
	}
}

// sign makes a pass out of any body, with the key and the domain that it is given.
func sign(k ed25519.PrivateKey, domain, body string) string {
	text := base64.RawURLEncoding.EncodeToString([]byte(body))
	return text + "." + base64.RawURLEncoding.EncodeToString(ed25519.Sign(k, []byte(domain+text)))
}

func TestForgedPasses(t *testing.T) {
	good := signed1(t, alice)
	body, sig, _ := strings.Cut(good, ".")
	raw, err := base64.RawURLEncoding.DecodeString(body)
	if err != nil {
		t.Fatal(err)
	}
	mallory := base64.RawURLEncoding.EncodeToString(bytes.Replace(raw, []byte("alice"), []byte("admin"), 1))
	jwt := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`))
	rawSig, err := base64.RawURLEncoding.DecodeString(sig)
	if err != nil {
		t.Fatal(err)
	}
	// s + L is the same number to a careless verifier.
	big := bytes.Clone(rawSig)
	big[63] |= 0xe0
	for name, c := range map[string]struct {
		text string
		want error
	}{
		"nothing":                {"", ErrMalformed},
		"a dot":                  {".", ErrMalformed},
		"no signature":           {body + ".", ErrMalformed},
		"body only":              {body, ErrMalformed},
		"another body":           {mallory + "." + sig, ErrSignature},
		"a JWT without alg":      {jwt + "." + body + ".", ErrMalformed},
		"a JWT's three parts":    {jwt + "." + body + "." + sig, ErrMalformed},
		"another's signature":    {sign(key("b"), domain, string(raw)), ErrSignature},
		"signed for another use": {sign(key("a"), "", string(raw)), ErrSignature},
		"signature of the JSON":  {body + "." + base64.RawURLEncoding.EncodeToString(ed25519.Sign(key("a"), raw)), ErrSignature},
		"zeros as signature":     {body + "." + strings.Repeat("A", 86), ErrSignature},
		"a signature too many":   {good + "." + sig, ErrMalformed},
		"padded":                 {good + "==", ErrMalformed},
		"a space behind":         {good + " ", ErrMalformed},
		"a line break in it":     {body + ".\n" + sig, ErrMalformed},
		"S beyond the order":     {body + "." + base64.RawURLEncoding.EncodeToString(big), ErrSignature},
		"no JSON":                {sign(key("a"), domain, "alice"), ErrMalformed},
		"nobody":                 {sign(key("a"), domain, `{"m":"POST"}`), ErrMalformed},
		"wrong types":            {sign(key("a"), domain, `{"u":["alice"],"i":"0"}`), ErrMalformed},
		"never expires":          {sign(key("a"), domain, `{"u":"alice"}`), ErrExpired},
		"a huge one":             {signed1(t, Pass{User: strings.Repeat("a", 4<<10)}), ErrMalformed},
	} {
		if p, err := Verify(public("a"), c.text, "POST", alice.Path, now); !errors.Is(err, c.want) || !reflect.DeepEqual(p, Pass{}) {
			t.Errorf("%s: got %+v, %v, want %v", name, p, err, c.want)
		}
	}
}

func TestNoBitOfAPassMayChange(t *testing.T) {
	good := signed1(t, alice)
	for i := range good {
		for _, bit := range []byte{1, 2, 4, 8, 16, 32} {
			b := []byte(good)
			b[i] ^= bit
			if _, err := Verify(public("a"), string(b), "POST", alice.Path, now); err == nil {
				t.Errorf("the bit %#x of byte %d changed, and it still counts", bit, i)
			}
		}
		if _, err := Verify(public("a"), good[:i], "POST", alice.Path, now); err == nil {
			t.Errorf("cut to %d bytes, and it still counts", i)
		}
	}
}

func TestKeysAreReadAsTheyWereWritten(t *testing.T) {
	k := key("\xfb")
	text := FormatPrivate(k)
	for _, s := range []string{text, " " + text + "\n", strings.TrimRight(text, "="), strings.NewReplacer("+", "-", "/", "_").Replace(text)} {
		if got, err := ParsePrivate(s); err != nil || !got.Equal(k) {
			t.Errorf("%q: got %v", s, err)
		}
	}
	list := FormatPublic(public("a")[0]) + ", " + FormatPublic(public("\xfb")[0]) + ","
	if got, err := ParsePublic(list); err != nil || !reflect.DeepEqual(got, public("a", "\xfb")) {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestBadKeysAreNotRepeated(t *testing.T) {
	for _, s := range []string{"", ",", "hunter2", "!!!!", FormatPrivate(key("a"))[:40], FormatPrivate(key("a")) + "AAAA", base64.StdEncoding.EncodeToString(key("a"))} {
		_, err := ParsePrivate(s)
		_, err2 := ParsePublic(s)
		if err == nil || err2 == nil {
			t.Errorf("%q was taken: %v, %v", s, err, err2)
			continue
		}
		if len(s) > 3 && (strings.Contains(err.Error(), s) || strings.Contains(err2.Error(), s)) {
			t.Errorf("an error repeats the key: %v, %v", err, err2)
		}
	}
	if _, err := ParsePublic(FormatPublic(public("a")[0]) + ",hunter2"); err == nil {
		t.Error("one bad key among good ones was let through")
	}
}

// FuzzPass looks for a text that counts without having been signed, and for one
// that was signed and does not count.
func FuzzPass(f *testing.F) {
	good := signed1(f, alice)
	f.Add(good, "alice", "read", "POST", alice.Path, int64(0))
	f.Add(sign(key("b"), domain, `{"u":"x"}`), "", "", "", "", int64(-1))
	f.Add(good[:len(good)-1]+"\n", "é\xff", "\x00", "G E T", "//", int64(1)<<40)
	f.Fuzz(func(t *testing.T, text, user, scope, method, path string, seconds int64) {
		if p, err := Verify(public("a", "b"), text, "POST", alice.Path, now); err == nil && text != good {
			t.Fatalf("%q counts as %+v", text, p)
		}
		seconds %= 1 << 33
		at := time.Unix(seconds, 0)
		p := Pass{User: user, Scopes: []string{scope}, Method: method, Path: path}
		made, err := Sign(key("a"), p, at)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Verify(public("a"), made, method, path, at)
		if b, _ := json.Marshal([]string{user, method, path}); user == "" || len(made) > maxLen || !sameJSON(b, user, method, path) {
			return // the gateway makes no such pass
		}
		if err != nil || got.User != user || got.Issued != seconds {
			t.Fatalf("%+v: got %+v, %v", p, got, err)
		}
	})
}

// sameJSON reports whether texts come back from JSON as they were.
func sameJSON(b []byte, want ...string) bool {
	var got []string
	return json.Unmarshal(b, &got) == nil && reflect.DeepEqual(got, want)
}

// broken is a signer that cannot sign.
type broken struct{ ed25519.PrivateKey }

var errBroken = errors.New("the signer is away")

func (broken) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return nil, errBroken }

func TestASignerThatFailsMakesNoPass(t *testing.T) {
	if text, err := Sign(broken{}, Pass{User: "alice"}, now); !errors.Is(err, errBroken) || text != "" {
		t.Errorf("got %q, %v", text, err)
	}
}
