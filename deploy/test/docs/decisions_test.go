package docs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A decision says when it was made and whether it stands, what was known, what was
// decided, and what that costs.
var (
	decisionTitle  = regexp.MustCompile(`^# (\d+)\. \S`)
	decisionStatus = regexp.MustCompile(`(?m)^\*(Accepted|Superseded by \[\d{4}\]\(\S+\)), \d{1,2} [A-Z][a-z]+ 20\d\d\.\*$`)
)

func TestDecisionsHaveDateStatusAndConsequences(t *testing.T) {
	names, err := filepath.Glob(filepath.Join(root, "docs", "adr", "0*.md"))
	if err != nil || len(names) < 25 {
		t.Fatalf("%d decisions, %v", len(names), err)
	}
	index := source(t, "docs/adr/README.md")
	for _, name := range names {
		b, err := os.ReadFile(name) //nolint:gosec // a file of the repository
		if err != nil {
			t.Fatal(err)
		}
		text, base := string(b), filepath.Base(name)
		m := decisionTitle.FindStringSubmatch(text)
		if m == nil || fmt.Sprintf("%04s", m[1]) != base[:4] {
			t.Errorf("%s: its title does not begin with its number", base)
		}
		if !decisionStatus.MatchString(text) {
			t.Errorf("%s: no line such as *Accepted, 29 November 2026.*", base)
		}
		for _, part := range []string{"**Context.**", "**Decision.**", "**Consequences.**"} {
			if !strings.Contains(text, part) {
				t.Errorf("%s lacks %s", base, part)
			}
		}
		if !strings.Contains(index, "]("+base+")") {
			t.Errorf("%s is not in docs/adr/README.md", base)
		}
	}
}

// namedFile is a file or folder of the repository in the text of a page.
var namedFile = regexp.MustCompile("`((?:agent|gateway|pkg|deploy|wrangler|docs)/[A-Za-z0-9_./-]+)`")

func TestTheFilesThatAContributorIsSentToExist(t *testing.T) {
	found := 0
	for _, m := range namedFile.FindAllStringSubmatch(source(t, "CONTRIBUTING.md"), -1) {
		if strings.Contains(m[1], "NAME") {
			continue
		}
		found++
		if _, err := os.Stat(filepath.Join(root, m[1])); err != nil {
			t.Errorf("CONTRIBUTING.md names %s, which is not there", m[1])
		}
	}
	if found < 15 {
		t.Errorf("only %d files are named", found)
	}
}
