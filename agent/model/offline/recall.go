package offline

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// maxRecalled is how many memories one answer tells.
const maxRecalled = 5

// memoryLine is one recalled memory in the context of a message: "- [type] content",
// and perhaps where it came from.
var memoryLine = regexp.MustCompile(`(?m)^- \[(?:fact|event|decision|thought)\] (.+?)(?: \(saved [^()]*\))?$`)

// recall answers out of what a search found, the memories in the prompt, and
// what the user said earlier in this conversation.
func (t *turn) recall(found []string) string {
	all := slices.Clone(found)
	for _, message := range t.q.Messages {
		for _, m := range memoryLine.FindAllStringSubmatch(message.Context, -1) {
			all = append(all, m[1])
		}
	}
	for _, said := range t.before {
		if !question.MatchString(said) && len(said) < 500 {
			all = append(all, saidFact(said))
		}
	}
	best := rank(t.said, all)
	switch len(best) {
	case 0:
		return t.w.nothing
	case 1:
		return fmt.Sprintf(t.w.recalled, best[0])
	}
	return t.w.recalledMore + "- " + strings.Join(best, "\n- ")
}

// saidFact is what a message of the user's says, without "remember that".
func saidFact(said string) string {
	if i := understand(said); i.tool == toolSave && i.text != "" {
		return i.text
	}
	return said
}

// rank gives the best of the candidates, best first and each once. Where the
// question is about nothing in particular ("what do you remember?") all are
// equally good.
func rank(asked string, all []string) []string {
	about := grams(aboutMe.ReplaceAllString(asked, " "))
	type scored struct {
		text  string
		score int
	}
	var list []scored
	top := 0
	for _, c := range all {
		c = strings.Join(strings.Fields(c), " ")
		if c == "" || slices.ContainsFunc(list, func(s scored) bool { return strings.EqualFold(s.text, c) }) {
			continue
		}
		n := 0
		for g := range grams(c) {
			if about[g] {
				n++
			}
		}
		if len(about) > 0 && n == 0 {
			continue
		}
		top = max(top, n)
		list = append(list, scored{c, n})
	}
	slices.SortStableFunc(list, func(a, b scored) int { return b.score - a.score })
	var out []string
	for _, s := range list {
		// What is far behind the best only shares a common word with it.
		if len(out) < maxRecalled && 2*s.score >= top {
			out = append(out, s.text)
		}
	}
	return out
}

// grams are a text's words, and of Chinese its characters.
func grams(s string) map[string]bool {
	out := map[string]bool{}
	var word strings.Builder
	flush := func() {
		if word.Len() > 0 {
			w := strings.TrimSuffix(word.String(), "s")
			out[w] = true
			word.Reset()
		}
	}
	for _, r := range strings.ToLower(s) {
		switch {
		case unicode.Is(unicode.Han, r):
			flush()
			out[string(r)] = true
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			word.WriteRune(r)
		default:
			flush()
		}
	}
	flush()
	return out
}
