package plain_test

import (
	"strings"
	"testing"
	"unicode"

	"github.com/loongclaw/loongclaw/pkg/plain"
)

func TestWhatCannotBeSeenIsFound(t *testing.T) {
	for name, s := range map[string]string{
		"newline": "a\nb", "tab": "a\tb", "escape": "a\x1bb", "no-break space": "a\u00a0b", "ideographic space": "a\u3000b",
		"ogham space": "a\u1680b", "hangul fillers": "a\u115fb", "half-width filler": "a\uffa0b", "filler": "a\u3164b", "no character": "a\ufdd0b", "the last of a plane": "a\U0010fffeb",
		"grapheme joiner": "a\u034fb", "braille blank": "a\u2800b", "soft hyphen": "a\u00adb", "zero width space": "a\u200bb",
		"joiner between letters": "a\u200db", "joiner at the end": "🐻\u200d", "isolate": "a\u2066b", "override": "a\u202eb", "mark": "a\u061cb",
		"tag": "a\U000e0061b", "tag of a flag": "🏴\U000e0067", "variation selector after a letter": "id\ufe0f", "style after a digit": "7\ufe0f",
		"selector 17": "字\U000e0100", "mongolian selector": "a\u180bb", "khmer vowel": "a\u17b4b", "private": "a\ue000b",
		"line separator": "a\u2028b", "null notehead": "a\U0001d159b", "object": "a\ufffcb", "byte order mark": "\ufeffa", "bad UTF-8": "a\xffb",
		"marks upon marks": "a\u0301\u0301\u0301\u0301\u0301", "a mark on nothing": "\u0338a", "a mark on a space": "a \u0338b", "unassigned ignorable": "a\U000e0fffb",
	} {
		if r, at := plain.Hidden(s); at < 0 {
			t.Errorf("%s: %q is plain", name, s)
		} else if line := plain.Line(s); strings.ContainsRune(line, r) && r != unicode.ReplacementChar {
			t.Errorf("%s: Line(%q) = %q, which shows it as it is", name, s, line)
		}
	}
}

func TestWhatPeopleWriteIsPlain(t *testing.T) {
	for _, s := range []string{
		"", "ls -la 'a b'", "笔记/今天.md", "é ü ñ ż", "e\u0301", "Việt Nam", "हिन्दी", "ภาษาไทยที่นี่", "العربية", "Ελληνικά и русский",
		"🐻 ❤️ ☺︎ 👨‍👩‍👧‍👦 🏳️‍🌈 👩🏽‍🚀 🇨🇳 3️⃣ #️⃣ ↔️ ‼️", "한국어", "“quoted” – dash …", "10 €", "x²",
	} {
		if r, at := plain.Hidden(s); at >= 0 {
			t.Errorf("%q has %U at %d, want it plain", s, r, at)
		}
		if line := plain.Line(s); line != s {
			t.Errorf("Line(%q) = %q", s, line)
		}
	}
}

func TestEveryIgnorableCharacterIsHidden(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if 0xD800 <= r && r <= 0xDFFF || r == ' ' {
			continue
		}
		ignorable := unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector, unicode.Cf, unicode.White_Space)
		if _, at := plain.Hidden("a" + string(r) + "b"); ignorable && at < 0 {
			t.Errorf("%U is plain", r)
		}
	}
}

func TestMixedAlphabets(t *testing.T) {
	for _, s := range []string{"c\u0430t", "n\u043etes.md", "\u0391lpha", "p\u0430th/x"} {
		if _, found := plain.Mixed(s); !found {
			t.Errorf("%q is not seen as mixed", s)
		}
		if line := plain.Line(s); line == s || strings.IndexFunc(line, func(r rune) bool { return r > 0x7f }) >= 0 {
			t.Errorf("Line(%q) = %q, want the foreign letter escaped", s, line)
		}
	}
	for _, s := range []string{"кот cat", "cat_кот", "α-beta", "日本語text", "µm", "naïve"} {
		if w, found := plain.Mixed(s); found {
			t.Errorf("%q is seen as mixed in %q", s, w)
		}
	}
}

func TestALineIsOneLineAndSaysEverything(t *testing.T) {
	for s, want := range map[string]string{
		"a\nb": `"a\nb"`, "a  b": `"a \x20b"`, "say \"x\"\n": `"say \"x\"\n"`, "你\u3164好": `"你\u3164好"`, "a\xffb": `"a\xffb"`, "x\U000e0041": `"x\U000e0041"`,
	} {
		if got := plain.Line(s); got != want {
			t.Errorf("Line(%q) = %s, want %s", s, got, want)
		}
	}
}

func FuzzLine(f *testing.F) {
	f.Add("a\u3164\n  b")
	f.Fuzz(func(t *testing.T, s string) {
		line := plain.Line(s)
		if strings.ContainsAny(line, "\n\r\t") || line == s && strings.Contains(line, "  ") {
			t.Fatalf("Line(%q) = %q", s, line)
		}
		if _, at := plain.Hidden(line); at >= 0 {
			t.Fatalf("Line(%q) = %q, of which not everything is seen", s, line)
		}
	})
}
