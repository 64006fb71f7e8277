package docs_test

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	uses    = regexp.MustCompile(`(?m)^\s*-?\s*uses: (\S+)`)
	pinned  = regexp.MustCompile(`@(v\d+\.\d+\.\d+|[0-9a-f]{40})$`)
	runMake = regexp.MustCompile(`(?m)^\s*-? ?run: make ([a-z-]+)`)
)

// `make workflows` judges their form. This looks whether they name what is there,
// and take nothing that changes under them.
func TestWorkflowsArePinnedAndNameTargets(t *testing.T) {
	names, err := filepath.Glob(filepath.Join(root, ".github/workflows/*.yml"))
	if err != nil || len(names) < 4 {
		t.Fatalf("found %v (%v), so this test has lost its source", names, err)
	}
	makefile := source(t, "Makefile")
	for _, name := range names {
		text := source(t, strings.TrimPrefix(name, root+"/"))
		for _, m := range uses.FindAllStringSubmatch(text, -1) {
			if !strings.HasPrefix(m[1], "./") && !pinned.MatchString(m[1]) {
				t.Errorf("%s uses %s: name the exact version", name, m[1])
			}
		}
		for _, m := range runMake.FindAllStringSubmatch(text, -1) {
			if !strings.Contains(makefile, "\n"+m[1]+":") {
				t.Errorf("%s runs make %s, which the Makefile does not have", name, m[1])
			}
		}
		if !strings.Contains(text, "\npermissions:\n  contents: read\n") {
			t.Errorf("%s does not begin with the permission to read, and no more", name)
		}
	}
}

// A version that the changelog has is one that can be released: its notes are there.
func TestEveryReleaseHasNotes(t *testing.T) {
	found := regexp.MustCompile(`(?m)^## \[(\d+\.\d+\.\d+)\]`).FindAllStringSubmatch(source(t, "CHANGELOG.md"), -1)
	if len(found) == 0 {
		t.Fatal("the changelog has no release, so this test has lost its source")
	}
	for _, m := range found {
		if notes := source(t, "docs/releases/v"+m[1]+".md"); !strings.Contains(notes, "v"+m[1]) {
			t.Errorf("docs/releases/v%s.md does not name its version", m[1])
		}
	}
}
