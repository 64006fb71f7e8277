package wire

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzJoiner cuts a text anywhere: the pieces are whole characters, and join to
// the text, with U+FFFD where it never was one.
func FuzzJoiner(f *testing.F) {
	f.Add("你好🐻", uint8(1), uint8(3))
	f.Add("\xed\xa0\xbd\xed\xb0\xbb", uint8(2), uint8(4))
	f.Add("a\xff\xe4\xbd", uint8(0), uint8(2))
	f.Fuzz(func(t *testing.T, s string, a, b uint8) {
		i := min(int(a), len(s))
		k := min(max(int(b), i), len(s))
		var j Joiner
		var got strings.Builder
		for _, piece := range []string{s[:i], s[i:k], s[k:]} {
			p := j.Add(piece)
			if !utf8.ValidString(p) {
				t.Fatalf("piece %q is not whole", p)
			}
			got.WriteString(p)
		}
		got.WriteString(j.Rest())
		if !utf8.ValidString(got.String()) {
			t.Fatalf("%q is not UTF-8", got.String())
		}
		if utf8.ValidString(s) && got.String() != s {
			t.Errorf("cut at %d and %d: %q, want %q", i, k, got.String(), s)
		}
	})
}

// FuzzUnquote compares with Go's decoder wherever that one loses nothing.
func FuzzUnquote(f *testing.F) {
	f.Add(`"a\n\"\\\/é😀"`)
	f.Add(`"\ud83d"`)
	f.Fuzz(func(t *testing.T, s string) {
		var want string
		if json.Unmarshal([]byte(s), &want) != nil || strings.ContainsRune(want, utf8.RuneError) {
			return
		}
		var got Text
		if err := json.Unmarshal([]byte(s), &got); err != nil {
			t.Fatal(err)
		}
		if s != "null" && string(got) != want {
			t.Errorf("%s is %q, want %q", s, got, want)
		}
	})
}

func TestCutCharacters(t *testing.T) {
	for name, pieces := range map[string][]string{
		"bytes":                {"a\xf0", "\x9f", "\x90\xbb", "b"},
		"units":                {"a\xed\xa0\xbd", "\xed\xb0\xbb", "b"},
		"bytes of units":       {"a\xed", "\xa0\xbd\xed", "\xb0\xbb", "b"},
		"more bytes of units":  {"a\xed\xa0", "\xbd\xed\xb0", "\xbb", "b"},
		"empty pieces between": {"a\xf0", "", "\x9f\x90", "", "\xbb", "b"},
	} {
		var j Joiner
		got := ""
		for _, p := range pieces {
			got += j.Add(p)
		}
		if got += j.Rest(); got != "a🐻b" {
			t.Errorf("%s: %q, want a🐻b", name, got)
		}
	}
}
