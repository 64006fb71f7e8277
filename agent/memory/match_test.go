package memory

import (
	"strings"
	"testing"
)

func TestMatcher(t *testing.T) {
	for _, c := range []struct {
		query, text string
		words       int
		whole, part bool
	}{
		{"panda", "The pandas eat.", 1, false, true},
		{"pandas", "a panda", 1, false, false},
		{"panda food", "food for the panda", 2, false, false},
		{"panda food", "Panda  food", 2, false, false},
		{"panda food", "PANDA FOOD!", 2, true, true},
		{"running", "they run", 1, false, false},
		{"happiness", "a happy day", 1, false, false},
		{"parties", "a party", 1, false, false},
		{"anda", "pandas", 0, false, true},
		{"熊猫", "大熊猫吃竹子", 1, true, true},
		{"熊貓", "大熊猫吃竹子", 1, true, true},
		{"竹子", "大熊貓吃竹", 0, false, false},
		{"预算 报告", "年度报告：預算", 2, false, false},
		{"竹", "大熊貓吃竹", 1, true, true},
		{"猫 food", "小猫", 1, false, false},
		{"Ｂｕｄｇｅｔ", "the budget", 1, true, true},
		{"café", "CAFE", 1, true, true},
		{"the", "the end", 0, true, true},
		{"x", "", 0, false, false},
	} {
		got := NewMatcher(c.query).In(c.text)
		if got.Count() != c.words || got.Whole != c.whole || got.Part != c.part {
			t.Errorf("%q in %q: %d words, whole %v, part %v", c.query, c.text, got.Count(), got.Whole, got.Part)
		}
	}
	for query, empty := range map[string]bool{"": true, "  ": true, "x": false, "的": false} {
		if got := NewMatcher(query).Empty(); got != empty {
			t.Errorf("%q is empty: %v", query, got)
		}
	}
}

// Texts without the hint of a word are not taken apart, so every text that has the
// word must have its hint.
func TestEveryWordHasItsHint(t *testing.T) {
	texts := strings.Fields(`connect connected connecting connection connections relational conditional rational valenci hesitanci digitizer conformabli radicalli
		differentli vileli analogousli vietnamization predication operator feudalism decisiveness hopefulness callousness formaliti sensitiviti sensibiliti triplicate
		formative formalize electriciti electrical hopeful goodness revival allowance inference airliner gyroscopic adjustable defensible irritant replacement adjustment
		dependent adoption homologou communism activate angulariti homologous effective bowdlerize probate rate cease controlled roll caresses ponies ties caress cats feed
		agreed plastered bled motoring sing conflated troubled sized hopping tanned falling hissing fizzed failing filing happy sky possibly university flies dying
		naïve œuvre straße ærø Łódź ｆｕｌｌ weiß ΣΊΣΥΦΟΣ Ёлка 熊猫 國家 한국어 カタカナ ひらがな user's children's`)
	for _, text := range texts {
		m := NewMatcher(text)
		if m.Len() > 0 && !m.perhaps(fold(text)) {
			t.Errorf("%q has the words %q, whose hints %q are not in it", text, m.words, m.hints)
		}
		for _, other := range texts { // of two forms of one word either has the other's hint
			o := NewMatcher(other)
			for w := range m.place {
				if _, same := o.place[w]; same && !m.perhaps(fold(other)) {
					t.Errorf("%q is not seen in %q", text, other)
				}
			}
		}
	}
}
