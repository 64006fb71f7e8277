package docs_test

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// tag finds a variable's name and default in a configuration struct.
var tag = regexp.MustCompile("`envconfig:\"([A-Z0-9_]+)\"(?: default:\"([^\"]*)\")?")

// variable is what a side says about a variable.
type variable struct{ side, fallback string }

func codeVariables(t *testing.T) map[string]variable {
	t.Helper()
	all := map[string]variable{}
	for _, side := range []string{"gateway", "agent"} {
		found := tag.FindAllStringSubmatch(source(t, side+"/cmd/"+side+"/config.go"), -1)
		if len(found) < 10 {
			t.Fatalf("%s: found %d variables, so this test has lost its source", side, len(found))
		}
		for _, m := range found {
			v, known := all[m[1]]
			switch {
			case !known:
				v = variable{side, m[2]}
			case v.fallback != m[2]:
				t.Errorf("%s has the default %q on one side and %q on the other", m[1], v.fallback, m[2])
			default:
				v.side = "both"
			}
			all[m[1]] = v
		}
	}
	return all
}

var variableCell = regexp.MustCompile("^`[A-Z][A-Z0-9_]+`$")

func TestEveryVariableIsDocumented(t *testing.T) {
	code := codeVariables(t)
	for _, page := range []string{"docs/CONFIGURATION.md", "docs/zh-CN/CONFIGURATION.md"} {
		t.Run(page, func(t *testing.T) {
			var names []string
			for _, r := range rows(source(t, page), variableCell) {
				name := strings.Trim(r[0], "`")
				names = append(names, name)
				want, known := code[name]
				if !known {
					continue // sameSet says so
				}
				if len(r) != 4 || r[3] == "" {
					t.Errorf("%s: its row has %d cells, want name, side, default, meaning", name, len(r))
					continue
				}
				if r[1] != want.side {
					t.Errorf("%s: side %q, want %q", name, r[1], want.side)
				}
				fallback := "–"
				if want.fallback != "" {
					fallback = "`" + want.fallback + "`"
				}
				if r[2] != fallback {
					t.Errorf("%s: default %s, want %s", name, r[2], fallback)
				}
			}
			sameSet(t, "variable", slices.Sorted(maps.Keys(code)), names)
		})
	}
}

// The addresses and models of the providers are defaults, too.
func TestProviderDefaultsAreDocumented(t *testing.T) {
	found := regexp.MustCompile(`(?m)^\s+[A-Za-z]+:\s+\{"(https?://[^"]+)", "([^"]+)"\},`).FindAllStringSubmatch(source(t, "agent/model/langchain/dialect.go"), -1)
	if len(found) < 6 {
		t.Fatalf("found %d providers, so this test has lost its source", len(found))
	}
	for _, page := range []string{"docs/CONFIGURATION.md", "docs/zh-CN/CONFIGURATION.md"} {
		text := source(t, page)
		for _, m := range found {
			for _, want := range m[1:] {
				if !strings.Contains(text, "`"+want+"`") {
					t.Errorf("%s does not name %s", page, want)
				}
			}
		}
	}
}
