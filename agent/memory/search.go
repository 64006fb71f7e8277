package memory

import (
	"context"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	defaultLimit = 10
	maxLimit     = 1000
)

// hit is an entry that answers a query, and how well.
type hit struct {
	entry   *entry
	score   float64 // BM25, with recency and importance
	matched int     // words and pairs that matched
	singles int     // single characters that matched
	rare    bool    // one of these characters is rare in this memory
	whole   bool    // the whole query stands in it, as the original searched
}

// Search finds items. What contains the whole text, as the original searched,
// comes first, newest first; then what shares words with it, best first (BM25,
// with recency and importance to tell equals apart); then what contains it in
// the middle of a word. An empty text gives the newest.
func (s *Store) Search(ctx context.Context, q Query) ([]Item, error) {
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	if q.Limit < 0 {
		return nil, invalid("the limit is below zero", "use 1 to 1000, or leave it out for 10")
	}
	if q.Limit == 0 {
		q.Limit = defaultLimit
	}
	q.Text = strings.TrimSpace(strings.ToValidUTF8(q.Text, ""))
	s.mu.Lock()
	defer s.mu.Unlock()
	hits := s.find(q)
	hits = hits[:min(len(hits), q.Limit, maxLimit)]
	items := make([]Item, 0, len(hits))
	for _, h := range hits {
		items = append(items, h.entry.Item.clone())
	}
	return items, nil
}

// find gives the hits of a query in order; the caller holds mu.
func (s *Store) find(q Query) []hit {
	hits := s.rank(q.Text)
	needle := fold(q.Text)
	if needle == "" && q.Text != "" {
		return nil // marks without a letter: nothing says what is sought
	}
	kept := hits[:0]
	for _, h := range hits {
		if !q.admits(h.entry.Item) {
			continue
		}
		inside, whole := h.entry.Item.contains(needle)
		h.whole = whole
		if inside || h.score > 0 {
			kept = append(kept, h)
		}
	}
	slices.SortStableFunc(kept, func(a, b hit) int {
		switch {
		case a.whole != b.whole && a.whole:
			return -1
		case a.whole != b.whole:
			return 1
		case a.whole || a.score == b.score:
			return older(b.entry, a.entry)
		case a.score > b.score:
			return -1
		}
		return 1
	})
	return kept
}

func (q Query) admits(i Item) bool {
	if q.Type != "" && i.Type != q.Type {
		return false
	}
	return len(q.Tags) == 0 || slices.ContainsFunc(q.Tags, func(t string) bool { return slices.Contains(i.Tags, t) })
}

// contains reports whether the needle (folded) is inside the item's content or
// one of its tags, and whether it stands there as whole words. Everything
// contains the empty needle.
func (i Item) contains(needle string) (inside, whole bool) {
	for _, text := range append([]string{i.Content}, i.Tags...) {
		in, wh := within(fold(text), needle)
		inside, whole = inside || in, whole || wh
	}
	return inside, whole
}

func within(text, needle string) (inside, whole bool) {
	for from := 0; ; {
		at := strings.Index(text[from:], needle)
		if at < 0 {
			return inside, false
		}
		inside = true
		start, end := from+at, from+at+len(needle)
		if boundary(text, start) && boundary(text, end) {
			return true, true
		}
		_, n := utf8.DecodeRuneInString(text[start:])
		from = start + n
	}
}

// boundary reports whether a word may begin or end at this place. Between Chinese
// characters one may anywhere.
func boundary(text string, at int) bool {
	before, _ := utf8.DecodeLastRuneInString(text[:at])
	after, _ := utf8.DecodeRuneInString(text[at:])
	return at == 0 || at == len(text) || !inWord(before) || !inWord(after)
}

func inWord(r rune) bool {
	return (unicode.IsLetter(r) || unicode.IsDigit(r)) && !unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana)
}

// BM25's usual constants.
const (
	saturation  = 1.2  // k1: how soon saying a word again stops to count
	lengthShare = 0.75 // b: how much a long text is held against it
)

// rank scores every entry for a text; a score of 0 means that no word matched.
// The caller holds mu.
func (s *Store) rank(text string) []hit {
	hits := make([]hit, len(s.entries))
	for i, e := range s.entries {
		hits[i].entry = e
	}
	query := queryTerms(text)
	if len(query) == 0 {
		return hits
	}
	s.buildIndex()
	found, average := s.frequencies(query)
	now := s.now()
	for i := range hits {
		hits[i].weigh(query, found, len(s.entries), average)
		hits[i].score *= hits[i].entry.favour(now)
	}
	return hits
}

// buildIndex analyzes the entries at the first search; after that Apply keeps up.
func (s *Store) buildIndex() {
	if s.indexed {
		return
	}
	for _, e := range s.entries {
		e.doc = index(e.Item)
	}
	s.indexed = true
}

// frequencies counts the entries that have each word of the query, and gives
// the average length of an entry.
func (s *Store) frequencies(query map[term]kind) (map[term]int, float64) {
	found := make(map[term]int, len(query))
	total := 0
	for _, e := range s.entries {
		total += int(e.doc.length)
		for _, w := range e.doc.words {
			if _, asked := query[w.term]; asked {
				found[w.term]++
			}
		}
	}
	return found, max(1, float64(total)/float64(max(1, len(s.entries))))
}

// weigh sets the BM25 score of one entry.
func (h *hit) weigh(query map[term]kind, found map[term]int, entries int, average float64) {
	norm := saturation * (1 - lengthShare + lengthShare*float64(h.entry.doc.length)/average)
	for _, w := range h.entry.doc.words {
		if _, asked := query[w.term]; !asked {
			continue
		}
		df := float64(found[w.term])
		idf := rarity(df, float64(entries))
		tf := float64(w.n)
		gain := idf * tf * (saturation + 1) / (tf + norm)
		if w.kind == single {
			gain *= singleWeight
			h.singles++
			h.rare = h.rare || df <= max(1, float64(entries)/20)
		} else {
			h.matched++
		}
		h.score += gain
	}
}

// rarity is BM25's weight of a word that so many of all texts have.
func rarity(having, all float64) float64 {
	return math.Log(1 + (all-having+0.5)/(having+0.5))
}

// favour tells near equals apart: what is new or important counts up to a tenth
// more, and so never beats a clearly better match.
func (e *entry) favour(now time.Time) float64 {
	age := max(0, now.Sub(e.Item.Timestamp.Time).Hours()/24)
	f := 1 + 0.07*math.Exp2(-age/30)
	switch e.Item.Importance {
	case ImportanceHigh:
		f += 0.03
	case ImportanceLow:
		f -= 0.03
	}
	return f
}
