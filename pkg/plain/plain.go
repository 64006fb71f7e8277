package plain

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// invisible are characters that Unicode's properties make invisible or blank:
// controls, format characters, those that a renderer may leave out
// (Default_Ignorable_Code_Point), private ones, those that are none
// (Noncharacter_Code_Point) and everything that is white space.
var invisible = []*unicode.RangeTable{
	unicode.Cc, unicode.Cf, unicode.Co, unicode.Zs, unicode.Zl, unicode.Zp,
	unicode.White_Space, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector, unicode.Noncharacter_Code_Point,
}

// blank are characters whose picture is empty although no property says so: the
// Braille pattern without dots, the musical null notehead, and what stands for an
// object that is not there.
var blank = map[rune]bool{0x2800: true, 0x1D159: true, 0xFFFC: true}

const (
	joiner     = 0x200D // joins emoji to one picture
	textStyle  = 0xFE0E // shows an emoji as text
	emojiStyle = 0xFE0F // shows a character as an emoji
	keycap     = 0x20E3
	// maxMarks is how many marks one letter may carry; no writing needs more.
	maxMarks = 4
)

// Hidden finds the first character of a text that cannot be seen, can be taken
// for a space, or hides its neighbours, and where it is. The space itself is
// plain; at is negative when everything is. What makes an emoji of several
// characters is plain within one.
func Hidden(s string) (r rune, at int) {
	var last rune // before at, 0 at the beginning
	marks := 0
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		next, _ := utf8.DecodeRuneInString(s[i+size:])
		if r == utf8.RuneError || isHidden(last, r, next) {
			return r, i
		}
		if unicode.In(r, unicode.Mn, unicode.Me) {
			if marks++; marks > maxMarks || last == 0 || last == ' ' {
				return r, i
			}
		} else {
			marks = 0
		}
		last, i = r, i+size
	}
	return 0, -1
}

// Clean returns a text without the characters that Hidden would find; what is white
// space of another kind becomes a space.
func Clean(s string) string {
	if _, at := Hidden(s); at < 0 {
		return s
	}
	var b strings.Builder
	var last rune
	marks := 0
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		next, _ := utf8.DecodeRuneInString(s[i+size:])
		i += size
		if unicode.IsSpace(r) {
			r = ' '
		}
		if r == utf8.RuneError || isHidden(last, r, next) {
			continue
		}
		if unicode.In(r, unicode.Mn, unicode.Me) {
			if marks++; marks > maxMarks || last == 0 || last == ' ' {
				continue
			}
		} else {
			marks = 0
		}
		b.WriteRune(r)
		last = r
	}
	return b.String()
}

func isHidden(last, r, next rune) bool {
	switch r {
	case ' ':
		return false
	case joiner:
		return !(pictured(last) && emoji(next))
	case textStyle, emojiStyle:
		return !emoji(last) && !(keyed(last) && next == keycap)
	}
	return blank[r] || unicode.In(r, invisible...)
}

// emoji reports whether a character may be one. Unicode has many in other
// categories than So, which are named here.
func emoji(r rune) bool {
	return !blank[r] && r != utf8.RuneError && unicode.Is(unicode.So, r) || unicode.Is(unicode.Sk, r) && r >= 0x1F3FB || r >= 0x2190 && r <= 0x21FF ||
		r >= 0x25A0 && r <= 0x25FF || r == 0x203C || r == 0x2049 || r == 0x2934 || r == 0x2935 || r == 0x3030
}

// pictured is what a joiner may follow: an emoji, or the style of one.
func pictured(r rune) bool { return emoji(r) || r == emojiStyle }

func keyed(r rune) bool { return r == '#' || r == '*' || r >= '0' && r <= '9' }

// alike are the alphabets that share the shapes of many letters.
var alike = []*unicode.RangeTable{unicode.Latin, unicode.Cyrillic, unicode.Greek, unicode.Armenian, unicode.Cherokee, unicode.Coptic, unicode.Lisu}

// Mixed finds a word whose letters come from alphabets that look alike, such as a
// Cyrillic а among Latin letters. A word that is wholly of another alphabet is not
// told from its twin.
func Mixed(s string) (word string, found bool) {
	for _, w := range strings.FieldsFunc(s, func(r rune) bool { return !unicode.In(r, unicode.L, unicode.M) }) {
		alphabets := 0
		for _, table := range alike {
			if strings.IndexFunc(w, func(r rune) bool { return unicode.Is(table, r) }) >= 0 {
				alphabets++
			}
		}
		if alphabets > 1 {
			return w, true
		}
	}
	return "", false
}

// Line returns a text in one line. One that is plain stays as it is; any other is
// quoted, with what cannot be seen and what could mislead escaped.
func Line(s string) string {
	_, hidden := Hidden(s)
	_, mixed := Mixed(s)
	if hidden < 0 && !mixed && !strings.Contains(s, "  ") {
		return s
	}
	var b strings.Builder
	b.WriteByte('"')
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		b.WriteString(escaped(s, i, r, size, mixed))
		i += size
	}
	b.WriteByte('"')
	return b.String()
}

func escaped(s string, i int, r rune, size int, mixed bool) string {
	switch {
	case r == utf8.RuneError && size == 1:
		return fmt.Sprintf(`\x%02x`, s[i])
	case r == '\n':
		return `\n`
	case r == '\t':
		return `\t`
	case r == '"', r == '\\':
		return `\` + string(r)
	case r == ' ' && i > 0 && s[i-1] == ' ':
		return `\x20`
	case r != ' ' && (blank[r] || unicode.In(r, invisible...)), unicode.In(r, unicode.Mn, unicode.Me), mixed && r >= utf8.RuneSelf && unicode.In(r, alike...):
		if r > 0xFFFF {
			return fmt.Sprintf(`\U%08x`, r)
		}
		return fmt.Sprintf(`\u%04x`, r)
	}
	return string(r)
}
