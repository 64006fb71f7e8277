package memory

import (
	"math/bits"
	"strings"
	"unicode/utf8"
)

// maxWords is how many words of a query a Matcher looks for.
const maxWords = 64

// Matcher finds a query in texts that are no memories, such as lines of files, with
// the analysis that memories are found by: case, accents, forms of English words,
// traditional and simplified characters make no difference.
type Matcher struct {
	needle string // the whole query, folded
	words  []string
	kinds  []kind
	place  map[string]int
	hints  []string // by word: what stands in every folded text that has it
}

// Match is what of a query is in a text.
type Match struct {
	Words uint64 // one bit for each word of the query
	Whole bool   // the query stands there as it is
	Part  bool   // it stands there, perhaps in the middle of a word
}

// NewMatcher makes a matcher of a query.
func NewMatcher(query string) *Matcher {
	query = shorten(strings.TrimSpace(query))
	m := &Matcher{needle: fold(query), place: map[string]int{}}
	pairs := ""
	theAnalyzer().tokens(m.needle, func(w []byte, k kind) {
		if k == word {
			pairs += string(w)
		}
	})
	theAnalyzer().tokens(m.needle, func(w []byte, k kind) {
		text := string(w)
		_, known := m.place[text]
		// A character of a pair hints at far too much in files.
		if known || len(m.words) == maxWords || k == single && strings.Contains(pairs, text) {
			return
		}
		m.place[text] = len(m.words)
		m.words, m.kinds, m.hints = append(m.words, text), append(m.kinds, k), append(m.hints, hint(text))
	})
	return m
}

// hint returns what every word begins with that becomes this one: a stem differs
// from its words in its last letter at most, and of a pair of characters the first
// is enough.
func hint(word string) string {
	if r, n := utf8.DecodeRuneInString(word); r >= utf8.RuneSelf {
		return word[:n]
	}
	if len(word) > 2 {
		return word[:len(word)-1]
	}
	return word
}

// Empty reports whether there is nothing to look for.
func (m *Matcher) Empty() bool { return m.needle == "" }

// Len is how many words are looked for.
func (m *Matcher) Len() int { return len(m.words) }

// Weight is how much a word says that so many of all texts have, as for memories.
func (m *Matcher) Weight(word, having, all int) float64 {
	w := rarity(float64(having), float64(all))
	if m.kinds[word] == single {
		w *= singleWeight
	}
	return w
}

// In returns what of the query is in a text.
func (m *Matcher) In(text string) Match {
	folded := fold(text)
	var found Match
	found.Part, found.Whole = within(folded, m.needle)
	if !m.perhaps(folded) {
		return found
	}
	theAnalyzer().tokens(folded, func(w []byte, _ kind) {
		if at, ok := m.place[string(w)]; ok {
			found.Words |= 1 << at
		}
	})
	return found
}

// perhaps reports whether a folded text may have one of the words: taking a text
// apart costs twenty times as much as looking.
func (m *Matcher) perhaps(folded string) bool {
	for _, h := range m.hints {
		if strings.Contains(folded, h) {
			return true
		}
	}
	return false
}

// Any reports whether something was found.
func (m Match) Any() bool { return m.Words != 0 || m.Part }

// Count is how many words were found.
func (m Match) Count() int { return bits.OnesCount64(m.Words) }
