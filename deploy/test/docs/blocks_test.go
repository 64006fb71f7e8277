package docs_test

import (
	"regexp"
	"strings"
	"testing"
)

// example is a fenced block with the marks that stand before it:
//
//	<!-- not run: needs an account -->   says why no test runs it
//	<!-- shows: 12*7 = 84 -->            what running it prints, among other things
type example struct {
	block
	page   string
	notRun string
	shows  []string
}

var (
	marked = regexp.MustCompile("(?ms)^((?:<!-- [^\n]* -->\n)*)```([^\n]*)\n(.*?)^```$")
	mark   = regexp.MustCompile(`(?m)^<!-- (not run|shows): (.*) -->$`)
)

func examples(t *testing.T, page string) []example {
	t.Helper()
	text := source(t, page)
	var out []example
	for _, m := range marked.FindAllStringSubmatch(text, -1) {
		e := example{block: block{strings.TrimSpace(m[2]), m[3]}, page: page}
		for _, k := range mark.FindAllStringSubmatch(m[1], -1) {
			switch k[1] {
			case "not run":
				e.notRun = k[2]
			case "shows":
				e.shows = append(e.shows, k[2])
			}
		}
		out = append(out, e)
	}
	if got, want := len(out), len(blocks(text)); got != want {
		t.Errorf("%s: %d blocks with their marks, %d without: this test does not see all", page, got, want)
	}
	return out
}

// reasons are why a block may go unrun. Each is something that this repository
// cannot bring along.
var reasons = []string{
	"needs an account", "needs another machine", "needs a network", "needs a container engine", "needs root", "it is what runs this test", "deploy/test/e2e runs it",
}

// Whatever a page tells a reader to run is run by TestBlocksRun, is compared with
// the code elsewhere in this package, or says openly that nobody ran it.
func TestEveryBlockIsRunOrMarked(t *testing.T) {
	seen := map[string]int{}
	for _, page := range pages(t) {
		for _, e := range examples(t, page) {
			seen[e.info]++
			switch e.info {
			case "sh", "js":
				if e.notRun != "" && !hasReason(e.notRun) {
					t.Errorf("%s: %q is no reason of those that count: %q", page, e.notRun, reasons)
				}
				continue
			case "json", "json event", "json frame", "json error": // TestExamplesAreWhatTheCodeReads
			case "text": // a drawing, or what a program printed
			default:
				if !hasReason(e.notRun) {
					t.Errorf("%s: no test reads a block of %q: mark it <!-- not run: … -->, or teach one to\n%s", page, e.info, e.text)
				}
			}
		}
	}
	if seen["sh"] < 10 || seen["js"] < 2 || seen["json event"] == 0 {
		t.Errorf("found %v, so this test has lost its source", seen)
	}
}

func hasReason(text string) bool {
	for _, r := range reasons {
		if strings.HasPrefix(text, r) {
			return true
		}
	}
	return false
}
