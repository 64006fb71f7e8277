package memory

import (
	_ "embed" // the table of characters
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/blevesearch/bleve/v2/analysis/char/asciifolding"
	"golang.org/x/text/unicode/norm"
)

// fold brings together what people write in several ways and mean as one, so that
// either finds the other: case, width, ligatures and other forms that only look
// different, accents on Latin and Greek letters, points of Hebrew and Arabic, ё and
// е, and traditional and simplified Chinese characters. What tells words apart in
// its language stays: й, the marks of Kana and of Indian scripts.
func fold(text string) string {
	f := folding{tables: theFolds()}
	f.out.Grow(len(text))
	// ASCII and the common Chinese characters have nothing to take apart. Most texts
	// are of these, and a search reads all of them.
	rest := -1 // where what is not folded yet begins
	for i, r := range text {
		if simple(r) {
			if rest >= 0 {
				f.takeApart(text[rest:i])
				rest = -1
			}
			f.take(r)
		} else if rest < 0 {
			rest = i
		}
	}
	if rest >= 0 {
		f.takeApart(text[rest:])
	}
	return f.out.String()
}

func simple(r rune) bool {
	return r < utf8.RuneSelf || r >= 0x4E00 && r <= 0x9FFF || isFullWidth(r) || r >= '\u3000' && r <= '\u3002'
}

// isFullWidth reports whether a character is one of ASCII's, as wide as a Chinese one.
func isFullWidth(r rune) bool { return r >= '！' && r <= '～' }

// folding is a text that is being folded.
type folding struct {
	tables *folds
	out    strings.Builder
	base   rune // what a mark belongs to
}

// take takes a letter in that has no parts.
func (f *folding) take(r rune) {
	switch {
	case isFullWidth(r):
		r -= '！' - '!'
	case r == '\u3000':
		r = ' '
	}
	f.base = r
	switch {
	case 'A' <= r && r <= 'Z':
		f.out.WriteByte(byte(r) + 'a' - 'A')
	case r < utf8.RuneSelf:
		f.out.WriteByte(byte(r))
	default:
		f.out.WriteRune(f.tables.simplified(r))
	}
}

// takeApart takes a text in whose letters may have parts, and marks.
func (f *folding) takeApart(text string) {
	var b strings.Builder
	latin := false
	for _, r := range norm.NFKD.String(text) {
		if unicode.Is(unicode.Mn, r) {
			if !silent(f.base, r) {
				b.WriteRune(r)
			}
			continue
		}
		f.base = r
		latin = latin || r >= utf8.RuneSelf && unicode.Is(unicode.Latin, r)
		b.WriteRune(unicode.ToLower(f.tables.simplified(r)))
	}
	// Marks that stay are joined to their letters again; Hangul and Kana, too.
	out := norm.NFC.String(b.String())
	if latin { // ø, ł, ß, æ and the like, which have no parts
		out = strings.ToLower(string(f.tables.ascii.Filter([]byte(out))))
	}
	f.out.WriteString(out)
}

// diaeresis is what makes ё of е.
const diaeresis = '\u0308'

// silent reports whether words are the same without this mark on this letter.
func silent(base, mark rune) bool {
	switch {
	case base == 'е' || base == 'Е':
		return mark == diaeresis
	case base < utf8.RuneSelf:
		return true
	}
	return unicode.In(base, unicode.Latin, unicode.Greek, unicode.Hebrew, unicode.Arabic)
}

//go:embed simplified.txt
var simplifiedTable string

// folds are the tables that folding needs.
type folds struct {
	ascii *asciifolding.AsciiFoldingFilter
	first rune
	near  []uint16 // by character, from first on; 0 where it stands for itself
	far   map[rune]rune
}

// simplified returns the simplified character that stands for a traditional one,
// and any other as it is.
func (f *folds) simplified(r rune) rune {
	if at := r - f.first; at >= 0 && int(at) < len(f.near) && f.near[at] != 0 {
		return rune(f.near[at])
	}
	if s, ok := f.far[r]; ok {
		return s
	}
	return r
}

var theFolds = sync.OnceValue(func() *folds {
	// From the first block of Chinese characters to the end of the basic one: a
	// character is looked up in one step, in 55 KB.
	f := &folds{ascii: asciifolding.New(), first: 0x3400, near: make([]uint16, 0xA000-0x3400), far: map[rune]rune{}}
	for line := range strings.Lines(simplifiedTable) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		pairs := []rune(strings.TrimSpace(line))
		for i := 0; i+1 < len(pairs); i += 2 {
			at := pairs[i] - f.first
			if at >= 0 && int(at) < len(f.near) && pairs[i+1] <= 0xFFFF {
				f.near[at] = uint16(pairs[i+1])
			} else {
				f.far[pairs[i]] = pairs[i+1]
			}
		}
	}
	return f
})
