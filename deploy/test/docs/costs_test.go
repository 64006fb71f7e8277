package docs_test

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// table returns the rows of the table behind a mark, without its two heads.
func table(t *testing.T, page, mark string) [][]string {
	t.Helper()
	_, text, found := strings.Cut(source(t, page), "<!-- costs: "+mark+" -->\n")
	if !found {
		t.Fatalf("%s has no table %q: this test has lost its source", page, mark)
	}
	var out [][]string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "|") {
			break
		}
		var cells []string
		for c := range strings.SplitSeq(strings.Trim(line, "|"), "|") {
			cells = append(cells, strings.TrimSpace(c))
		}
		out = append(out, cells)
	}
	if len(out) < 3 {
		t.Fatalf("%s: the table %q has no rows", page, mark)
	}
	return out[2:]
}

func number(t *testing.T, text string) float64 {
	t.Helper()
	n, err := strconv.ParseFloat(strings.ReplaceAll(text, ",", ""), 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// costs are the tables of one page: the units in the order in which they stand.
type costs struct{ included, price, perTurn []float64 }

func readCosts(t *testing.T, page string) costs {
	t.Helper()
	var c costs
	prices, turn := table(t, page, "prices"), table(t, page, "turn")
	if len(prices) != 12 || len(turn) != 12 {
		t.Fatalf("%s: %d prices and %d amounts, want 12 of each", page, len(prices), len(turn))
	}
	for i, r := range prices {
		if r[0] != turn[i][0] {
			t.Errorf("%s: unit %d is %q among the prices and %q in a turn", page, i, r[0], turn[i][0])
		}
		dollars, per, _ := strings.Cut(r[2], " / ")
		c.included = append(c.included, number(t, r[1]))
		c.price = append(c.price, number(t, dollars)/number(t, per))
		c.perTurn = append(c.perTurn, number(t, turn[i][1]))
	}
	return c
}

// groups are the columns of the month: which units are in each.
var groups = [][]int{{0, 1}, {2, 3, 4}, {5, 6, 7}, {8, 9, 10}, {11}}

const plan = 5.0

// month returns the columns of a number of turns.
func (c costs) month(turns float64) []string {
	var out []string
	sum := plan
	for _, group := range groups {
		cost := 0.0
		for _, i := range group {
			cost += max(0, turns*c.perTurn[i]-c.included[i]) * c.price[i]
		}
		sum += cost
		out = append(out, fmt.Sprintf("%.2f", cost))
	}
	return append(out, fmt.Sprintf("%.2f", sum))
}

var costPages = []string{"docs/DEPLOY-CLOUDFLARE.md", "docs/zh-CN/DEPLOY-CLOUDFLARE.md"}

func TestCostsAreComputed(t *testing.T) {
	for _, page := range costPages {
		c := readCosts(t, page)
		for _, r := range table(t, page, "month") {
			if got, want := r[2:], c.month(number(t, r[1])); !slices.Equal(got, want) {
				t.Errorf("%s: %s: %v, want %v", page, r[0], got, want)
			}
		}
	}
}

// The other pages say what this one computes.
func TestCostsAreTheSameEverywhere(t *testing.T) {
	totals := map[string]string{}
	for _, r := range table(t, costPages[0], "month") {
		totals[r[1]] = r[len(r)-1]
	}
	for _, page := range []string{"README.md", "docs/README.zh-CN.md", "docs/OPERATIONS.md", "docs/zh-CN/OPERATIONS.md"} {
		got := map[string]string{}
		for _, r := range table(t, page, "totals") {
			got[r[1]] = strings.TrimPrefix(r[2], "$")
		}
		if !maps.Equal(got, totals) {
			t.Errorf("%s: turns and totals %v, want %v", page, got, totals)
		}
	}
}

// What a turn asks of the store is what was counted.
func TestCostsUseTheCountedOperations(t *testing.T) {
	text := source(t, "docs/performance.md")
	for _, page := range costPages {
		c := readCosts(t, page)
		want := fmt.Sprintf("about %s class A and %s class B", thousands(c.perTurn[8]*10_000), thousands(c.perTurn[9]*10_000))
		if !strings.Contains(text, want) {
			t.Errorf("docs/performance.md does not say %q of 10,000 turns, as %s does", want, page)
		}
	}
}

func thousands(n float64) string {
	return fmt.Sprintf("%.0f,%03.0f", n/1000, float64(int(n)%1000))
}
