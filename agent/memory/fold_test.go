package memory_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/loongclaw/loongclaw/agent/memory"
)

// Words that are the same, however they are written: each finds the other.
func TestSearchFindsTheSameWordsInOtherForms(t *testing.T) {
	for _, pair := range [][2]string{
		{"电脑", "電腦"},
		{"车牌", "車牌"},
		{"头发", "頭髮"},
		{"出发", "出發"},
		{"里面", "裡面"},
		{"里面", "裏面"},
		{"公里后", "公里後"},
		{"干净", "乾淨"},
		{"台湾面条", "臺灣麵條"},
		{"𫘝", "駃"}, // beyond the basic plane
		{"cafe", "café"},
		{"cafe", "cafe\u0301"},
		{"naive", "naïve"},
		{"Zurich", "Zürich"},
		{"Lodz", "Łódź"},
		{"Strasse", "Straße"},
		{"smorrebrod", "smørrebrød"},
		{"Angstrom", "Ångström"},
		{"Ha Noi", "Hà Nội"},
		{"uber", "ÜBER"},
		{"елка", "ёлка"},
		{"еще", "ЕЩЁ"},
		{"καφε", "ΚΑΦΈ"},
		{"שלום", "שָׁלוֹם"},
		{"محمد", "مُحَمَّد"},
		{"file", "ﬁle"},
		{"office", "oﬃce"},
		{"C++ 2026", "Ｃ＋＋　２０２６"},
		{"カタカナ", "ｶﾀｶﾅ"},
		{"ガス", "ｶﾞｽ"},
		{"한국어", "한국어"}, // composed and in its parts
		{"5 km", "5 ㎞"},
	} {
		for _, p := range [][2]string{pair, {pair[1], pair[0]}} {
			s, _ := newStore(t)
			save(t, s, "about "+p[0]+" and nothing else")
			save(t, s, "unrelated")
			got, err := s.Search(t.Context(), memory.Query{Text: p[1]})
			if err != nil || len(got) != 1 {
				t.Errorf("%q does not find %q: %v, %v", p[1], p[0], got, err)
			}
		}
	}
}

// Words that differ in their language stay apart.
func TestSearchKeepsOtherWordsApart(t *testing.T) {
	for _, pair := range [][2]string{
		{"мой", "мои"},
		{"か", "が"},
		{"ハ", "バ"},
		{"कल", "कला"},
	} {
		s, _ := newStore(t)
		save(t, s, pair[0])
		if got, err := s.Search(t.Context(), memory.Query{Text: pair[1]}); err != nil || len(got) != 0 {
			t.Errorf("%q finds %q (%v)", pair[1], pair[0], err)
		}
	}
	s, _ := newStore(t)
	save(t, s, "anything")
	if got, err := s.Search(t.Context(), memory.Query{Text: "\u0301"}); err != nil || len(got) != 0 {
		t.Errorf("a mark without a letter finds %v, %v", got, err)
	}
}

// A word in another form is a word: it stands before what only contains it.
func TestOtherFormsAreWholeWords(t *testing.T) {
	s, _ := newStore(t)
	whole := save(t, s, "the CAFÉ is open")
	save(t, s, "a cafeteria of the town")
	got, err := s.Search(t.Context(), memory.Query{Text: "cafe"})
	if err != nil || len(got) != 2 || got[0].ID != whole.ID {
		t.Errorf("got %v, %v, want the word first", got, err)
	}
}

func BenchmarkSearchOfAFullMemory(b *testing.B) {
	s, _ := newStore(b)
	for i := range 800 {
		if _, err := s.Save(b.Context(), memory.Item{Content: fmt.Sprint(i) + strings.Repeat("我的電腦在車上，", 400)}); err != nil {
			b.Fatal(err)
		}
	}
	b.ResetTimer()
	for b.Loop() {
		if _, err := s.Search(b.Context(), memory.Query{Text: "电脑"}); err != nil {
			b.Fatal(err)
		}
	}
}
