package thread

import (
	"hash/fnv"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// plain is a text without what clients change in passing: runs of white space,
// and the choice between a composed character and its parts.
func plain(text string) string {
	return norm.NFC.String(strings.Join(strings.Fields(text), " "))
}

// likeness says how two texts compare.
type likeness int

const (
	differs likeness = iota
	cut              // the client's is ours without its beginning, middle or end
	same
)

// Of a text that was cut, a client may say so in a few words of its own. They are
// believed only where much more is missing than they say, so that a correction
// that somebody made to an answer is not taken for them.
const (
	maxMark    = 40
	minMissing = 100
)

// compare compares a client's text with ours; both are plain.
func compare(theirs, ours string) likeness {
	switch {
	case theirs == ours:
		return same
	case theirs == "" || ours == "":
		return differs
	}
	begin := commonPrefix(theirs, ours)
	end := commonSuffix(theirs[begin:], ours[begin:])
	between := strings.TrimSpace(theirs[begin : len(theirs)-end])
	missing := len(ours) - begin - end
	switch {
	case begin+end == 0 || missing <= 0:
		return differs
	case strings.Trim(between, ".… ") == "":
		return cut
	case len(between) <= maxMark && missing >= minMissing && isRemark(between):
		return cut
	}
	return differs
}

// isRemark reports whether a text stands in brackets or between dots, as
// "[truncated]" does.
func isRemark(text string) bool {
	first, _ := utf8.DecodeRuneInString(text)
	last, _ := utf8.DecodeLastRuneInString(text)
	return strings.ContainsRune("[(<{【（….", first) && strings.ContainsRune("])>}】）….", last)
}

func commonPrefix(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	for n > 0 && n < len(a) && !utf8.RuneStart(a[n]) {
		n--
	}
	return n
}

func commonSuffix(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[len(a)-1-n] == b[len(b)-1-n] {
		n++
	}
	for n > 0 && !utf8.RuneStart(a[len(a)-n]) {
		n--
	}
	return n
}

// sketch stands for the instructions of a conversation: the hashes of some of
// their words, the same ones wherever the words are the same.
type sketch []uint32

// sketchSize is how many hashes are kept. The smallest ones are a fair sample.
const sketchSize = 48

func sketchOf(instructions string) sketch {
	s := sketch{}
	for _, w := range words(instructions) {
		h := fnv.New32a()
		_, _ = h.Write([]byte(w)) // a hash.Hash never fails
		if at, found := slices.BinarySearch(s, h.Sum32()); !found {
			s = slices.Insert(s, at, h.Sum32())
		}
	}
	return slices.Clip(s[:min(len(s), sketchSize)])
}

// alike reports whether the instructions share at least half of their words.
func (s sketch) alike(o sketch) bool {
	shared := 0
	for _, h := range s {
		if _, found := slices.BinarySearch(o, h); found {
			shared++
		}
	}
	return 2*shared >= len(s)+len(o)-shared
}

// words are the words of instructions that do not tell the time: clients write
// clocks into them.
func words(text string) []string {
	var out []string
	for _, w := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		switch {
		case strings.ContainsFunc(w, unicode.IsDigit) && !strings.ContainsFunc(w, isHan), calendar(w):
		case strings.ContainsFunc(w, isHan):
			for _, r := range w {
				if isHan(r) {
					out = append(out, string(r))
				}
			}
		default:
			out = append(out, w)
		}
	}
	return out
}

func isHan(r rune) bool { return unicode.Is(unicode.Han, r) }

// calendar reports whether a word is part of a date or time in English.
func calendar(w string) bool {
	if w == "am" || w == "pm" || w == "utc" || w == "gmt" {
		return true
	}
	is := func(name string) bool {
		name = strings.ToLower(name)
		return w == name || len(w) == 3 && strings.HasPrefix(name, w)
	}
	for m := time.January; m <= time.December; m++ {
		if is(m.String()) {
			return true
		}
	}
	for d := time.Sunday; d <= time.Saturday; d++ {
		if is(d.String()) {
			return true
		}
	}
	return false
}
