package memory

import (
	"context"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Heading precedes recalled items in a prompt, as in the original.
const Heading = "**相关记忆**:"

const (
	recallHeading = Heading
	recallItems   = 5   // as the original
	recallShare   = 0.3 // of the best score; below it the match is an accident
	recallLine    = 200 // tokens that one memory may take
	recallStub    = 12  // a line cut shorter than this tells the model nothing
)

// Recall picks the items that help to answer a user's text and gives them as
// the original's system message, in at most budget tokens (as Tokens counts
// them). It gives "" and nothing when no item helps or none fits.
//
// An item helps when it shares a word or a pair of characters with the text, or
// single characters that are rare here, and is not far behind the best one.
// Each item is one line, so that what somebody once wrote cannot look like the
// next line of the prompt.
func (s *Store) Recall(_ context.Context, userText string, budget int) (prompt string, items []Item) {
	s.mu.Lock()
	hits := slices.DeleteFunc(s.rank(userText), func(h hit) bool { return !h.helps() })
	s.mu.Unlock()
	slices.SortStableFunc(hits, func(x, y hit) int {
		switch {
		case x.score > y.score:
			return -1
		case x.score < y.score:
			return 1
		}
		return older(y.entry, x.entry)
	})
	left := budget - Tokens(recallHeading)
	var text strings.Builder
	text.WriteString(recallHeading)
	for _, h := range hits {
		if len(items) == recallItems || h.score < recallShare*hits[0].score {
			break
		}
		line := recallLineOf(h.entry.Item, min(left, recallLine))
		if line == "" {
			continue
		}
		text.WriteString(line)
		left -= Tokens(line)
		items = append(items, h.entry.Item.clone())
	}
	if len(items) == 0 {
		return "", nil
	}
	return text.String(), items
}

// Has reports whether an item is there: it was saved and is not forgotten.
func (s *Store) Has(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byID[id] != nil
}

func (h hit) helps() bool { return h.matched > 0 || h.singles > 1 || h.rare }

// recallLineOf is one item in at most n tokens, "" when that is too little.
func recallLineOf(i Item, n int) string {
	head := "\n- [" + i.Type + "] "
	text := strings.Join(strings.FieldsFunc(i.Content, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r)
	}), " ")
	if Tokens(head+text) <= n {
		return head + text
	}
	room := n - Tokens(head) - Tokens("...")
	if room < recallStub {
		return ""
	}
	return head + cutTokens(text, room) + "..."
}

// Tokens estimates how many tokens a model makes of a text, rather too many
// than too few: a third of the ASCII characters, and one for each other one
// (two beyond the basic plane, where the emoji are).
func Tokens(text string) int {
	thirds := 0
	for _, r := range text {
		thirds += thirdsOf(r)
	}
	return (thirds + 2) / 3
}

func thirdsOf(r rune) int {
	switch {
	case r < utf8.RuneSelf:
		return 1
	case r > 0xFFFF:
		return 6
	}
	return 3
}

// cutTokens gives the beginning of a text that fits into n tokens.
func cutTokens(text string, n int) string {
	thirds := 0
	for i, r := range text {
		if thirds += thirdsOf(r); thirds > 3*n {
			return text[:i]
		}
	}
	return text
}
