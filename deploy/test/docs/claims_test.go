package docs_test

import (
	"path/filepath"
	"strings"
	"testing"
)

// The front page counts what there is. Each count has to be that of the code.
func TestTheCountsOfTheFrontPageAreRight(t *testing.T) {
	descriptions, err := filepath.Glob(filepath.Join(root, "agent/tools/*.md"))
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	for _, p := range providerTable(t) {
		if p.Protocol != "offline" {
			asked++
		}
	}
	english := map[int]string{6: "six", 10: "ten", 11: "eleven", 12: "twelve", 14: "fourteen", 15: "fifteen", 16: "sixteen"}
	chinese := map[int]string{6: "六", 10: "十", 11: "十一", 12: "十二", 14: "十四", 15: "十五", 16: "十六"}
	for _, c := range []struct {
		what             string
		count, times     int
		english, chinese string // with %s for the number
	}{
		{"tools", len(descriptions), 1, "%s tools", "%s个工具"},
		{"search providers", len(searchTable(t)), 1, "one of %s providers", "有%s家提供方之一"},
		{"providers", asked, 2, "%s providers", "%s家"},
	} {
		for page, form := range map[string]struct{ text, number string }{
			"README.md":            {c.english, english[c.count]},
			"docs/README.zh-CN.md": {c.chinese, chinese[c.count]},
		} {
			want := strings.Replace(form.text, "%s", form.number, 1)
			if form.number == "" || strings.Count(strings.ToLower(source(t, page)), want) < c.times {
				t.Errorf("%s: there are %d %s; the page does not say %q %d times", page, c.count, c.what, want, c.times)
			}
		}
	}
}
