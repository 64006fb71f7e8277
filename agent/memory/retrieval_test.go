package memory_test

import (
	"os"
	"strings"
	"testing"

	"github.com/loongclaw/loongclaw/agent/memory"
)

// rows reads a file of tab-separated lines of three fields.
func rows(t testing.TB, file string) [][3]string {
	t.Helper()
	body, err := os.ReadFile(file) //nolint:gosec // a test's own file
	if err != nil {
		t.Fatal(err)
	}
	var all [][3]string
	for line := range strings.Lines(string(body)) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(f) != 3 {
			t.Fatalf("%s: the line %q has %d fields, want 3", file, line, len(f))
		}
		all = append(all, [3]string(f))
	}
	return all
}

// TestRetrieval measures recall@5 over the retrieval set: how often the memory
// that answers a question is among the first five. The original searched for
// the whole question as a substring.
func TestRetrieval(t *testing.T) {
	s, _ := newStore(t)
	ids := map[string]string{}
	memories, questions := rows(t, "testdata/memories.tsv"), rows(t, "testdata/questions.tsv")
	if len(memories) < 300 || len(questions) < 60 {
		t.Fatalf("the set has %d memories and %d questions, want 300 and 60", len(memories), len(questions))
	}
	for _, m := range memories {
		item, err := s.Save(t.Context(), memory.Item{Type: m[1], Content: m[2]})
		if err != nil {
			t.Fatal(err)
		}
		ids[m[0]] = item.ID
	}
	asked := map[string]int{}
	ours, recalled, original := map[string]int{}, map[string]int{}, map[string]int{}
	for _, q := range questions {
		lang, want, text := q[0], ids[q[1]], q[2]
		asked[lang]++
		found, err := s.Search(t.Context(), memory.Query{Text: text, Limit: 5})
		if err != nil {
			t.Fatal(err)
		}
		if has(found, want) {
			ours[lang]++
		} else {
			t.Logf("search misses %s %q: %q", q[1], text, contents(found))
		}
		if _, items := s.Recall(t.Context(), text, 400); has(items, want) {
			recalled[lang]++
		} else {
			t.Logf("recall misses %s %q: %q", q[1], text, contents(items))
		}
		if has(originalSearch(s.Recent(len(memories)), text), want) {
			original[lang]++
		}
	}
	all := func(m map[string]int) float64 { return float64(m["zh"]+m["en"]) / float64(len(questions)) }
	t.Logf("recall@5 over %d memories, %d questions (%d zh, %d en): search %.3f (zh %d, en %d), recall into the prompt %.3f (zh %d, en %d), the original %.3f",
		len(memories), len(questions), asked["zh"], asked["en"], all(ours), ours["zh"], ours["en"],
		all(recalled), recalled["zh"], recalled["en"], all(original))
	for name, got := range map[string]float64{"search": all(ours), "recall": all(recalled)} {
		if got < 0.8 || got < all(original)+0.5 {
			t.Errorf("recall@5 of %s is %.3f, the original's %.3f; want at least 0.8 and far above", name, got, all(original))
		}
	}
}

// originalSearch is the original's: a case-insensitive substring of content and
// tags, newest first.
func originalSearch(newest []memory.Item, text string) []memory.Item {
	var found []memory.Item
	for _, i := range newest {
		if strings.Contains(strings.ToLower(i.Content), strings.ToLower(text)) && len(found) < 5 {
			found = append(found, i)
		}
	}
	return found
}

func has(items []memory.Item, id string) bool {
	for _, i := range items {
		if i.ID == id {
			return true
		}
	}
	return false
}
