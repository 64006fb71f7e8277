package plain_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/loongclaw/loongclaw/pkg/plain"
)

func TestCut(t *testing.T) {
	for _, c := range []struct {
		text string
		most int
		want string
	}{
		{"", 0, ""},
		{"abc", 3, "abc"},
		{"abc", 2, "ab"},
		{"abc", 0, ""},
		{"abc", -1, ""},
		{"", -1, ""},
		{"龙虾", 6, "龙虾"},
		{"龙虾", 5, "龙"},
		{"龙虾", 4, "龙"},
		{"龙虾", 3, "龙"},
		{"龙虾", 2, ""},
		{"a🐻b", 4, "a"},
		{"a🐻b", 5, "a🐻"},
		{"\x80\x80\x80\x80\x80\x80", 5, "\x80\x80\x80\x80\x80"}, // no text: it does not vanish
	} {
		if got := plain.Cut(c.text, c.most); got != c.want {
			t.Errorf("Cut(%q, %d) = %q, want %q", c.text, c.most, got, c.want)
		}
	}
}

func FuzzCut(f *testing.F) {
	f.Add("龙虾 and 🐻", 7)
	f.Add("\xff\x80", 1)
	f.Fuzz(func(t *testing.T, s string, most int) {
		got := plain.Cut(s, most)
		if !strings.HasPrefix(s, got) || len(got) > max(most, 0) {
			t.Fatalf("Cut(%q, %d) = %q", s, most, got)
		}
		if lost := min(most, len(s)) - len(got); lost >= utf8.UTFMax {
			t.Errorf("Cut(%q, %d) = %q, which lacks %d bytes", s, most, got, lost)
		}
		if utf8.ValidString(s) && !utf8.ValidString(got) {
			t.Errorf("Cut(%q, %d) = %q has half a character", s, most, got)
		}
	})
}
