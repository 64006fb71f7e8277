package docs_test

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strconv"
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

// knownVariables are all that the programs read, those of the providers' table too.
func knownVariables(t *testing.T) map[string]variable {
	t.Helper()
	known := codeVariables(t)
	for _, p := range providerTable(t) {
		for _, name := range slices.Concat(p.Keys, p.URLs, p.Models) {
			known[name] = variable{side: "agent"}
		}
	}
	for _, p := range searchTable(t) {
		for _, name := range slices.Concat(p.Keys, p.URLs) {
			known[name] = variable{side: "agent"}
		}
	}
	return known
}

// searchProvider is a row of the one table of search providers.
type searchProvider struct {
	Name, Base string
	Keys, URLs []string
	MaxQuery   int
}

func searchTable(t *testing.T) []searchProvider {
	t.Helper()
	var table []searchProvider
	if err := json.Unmarshal([]byte(source(t, "agent/websearch/providers.json")), &table); err != nil {
		t.Fatal(err)
	}
	return table
}

// The table of search providers on the pages is the one that the programs read.
func TestTheSearchProvidersAreDocumented(t *testing.T) {
	code := func(names ...string) string {
		if len(names) == 0 || names[0] == "" {
			return "–"
		}
		return "`" + strings.Join(names, "`, `") + "`"
	}
	table := searchTable(t)
	if len(table) < 6 {
		t.Fatalf("only %d search providers, so this test has lost its source", len(table))
	}
	for _, page := range []string{"docs/CONFIGURATION.md", "docs/zh-CN/CONFIGURATION.md"} {
		text := source(t, page)
		for _, p := range table {
			want := "| " + strings.Join([]string{code(p.Name), code(p.Keys...), code(p.URLs...), code(p.Base), strconv.Itoa(p.MaxQuery)}, " | ") + " |\n"
			if !strings.Contains(text, want) {
				t.Errorf("%s lacks the row\n%s", page, want)
			}
		}
	}
}

func providerTable(t *testing.T) []provider {
	t.Helper()
	var table []provider
	if err := json.Unmarshal([]byte(source(t, "agent/model/providers/providers.json")), &table); err != nil {
		t.Fatal(err)
	}
	return table
}

// provider is a row of the one table of providers.
type provider struct {
	Name, Base, Model, Protocol string
	Keys, URLs, Models          []string
	Context                     int
	Vision                      bool
	Prices                      *struct {
		Currency, Date, Source string
		Input, Output          float64
		Cached                 *float64
	}
}

// price is how a page tells what a provider takes.
func (p provider) price() string {
	if p.Prices == nil {
		return "–"
	}
	all := []float64{p.Prices.Input}
	if p.Prices.Cached != nil {
		all = append(all, *p.Prices.Cached)
	}
	var words []string
	for _, n := range append(all, p.Prices.Output) {
		words = append(words, strconv.FormatFloat(n, 'g', -1, 64))
	}
	return strings.Join(words, " / ") + " " + p.Prices.Currency
}

// The table of providers on the pages is the one that the programs read.
func TestTheProvidersAreDocumented(t *testing.T) {
	table := providerTable(t)
	code := func(names ...string) string { return "`" + strings.Join(names, "`, `") + "`" }
	for _, page := range []string{"docs/CONFIGURATION.md", "docs/zh-CN/CONFIGURATION.md"} {
		text, rows := source(t, page), 0
		for _, p := range table {
			if p.Protocol == "offline" {
				continue
			}
			rows++
			want := "| " + strings.Join([]string{
				code(p.Name), code(p.Keys...), code(p.URLs...), code(p.Base), code(p.Models...), code(p.Model), strconv.Itoa(p.Context),
				map[bool]string{true: "✓", false: "–"}[p.Vision], p.price(),
			}, " | ") + " |\n"
			if !strings.Contains(text, want) {
				t.Errorf("%s lacks the row\n%s", page, want)
			}
			if q := p.Prices; q != nil && (!strings.Contains(text, "["+p.Name+"]("+q.Source+")") || !strings.Contains(text, q.Date)) {
				t.Errorf("%s does not say where and when the price of %s was looked up", page, p.Name)
			}
		}
		if rows < 15 {
			t.Errorf("only %d providers, so this test has lost its source", rows)
		}
	}
}

// What the Worker hands on to a container is what the page about it says.
func TestWhatAContainerIsGivenIsDocumented(t *testing.T) {
	_, list, _ := strings.Cut(source(t, "wrangler/container/environment.mjs"), "const passed = [")
	list, _, _ = strings.Cut(list, "];")
	var code []string
	for _, m := range regexp.MustCompile(`"([A-Z_]+)"`).FindAllStringSubmatch(list, -1) {
		code = append(code, m[1])
	}
	for page, sentence := range map[string][2]string{
		"docs/DEPLOY-CLOUDFLARE.md":       {"these are handed on to the container: ", ". `WEB_SEARCH_PROVIDER`"},
		"docs/zh-CN/DEPLOY-CLOUDFLARE.md": {"这些会转给容器：", "。`WEB_SEARCH_PROVIDER`"},
	} {
		_, said, _ := strings.Cut(source(t, page), sentence[0])
		said, _, _ = strings.Cut(said, sentence[1])
		var names []string
		for _, m := range regexp.MustCompile("`([A-Z_]+)`").FindAllStringSubmatch(said, -1) {
			names = append(names, m[1])
		}
		t.Run(page, func(t *testing.T) { sameSet(t, "variable", code, names) })
	}
}
