package workers

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The modules name a failure in a call to one of these.
var (
	namesFailure = regexp.MustCompile(`\b(?:fail|refuse|failed|failure)\(([^;\n]*)`)
	literal      = regexp.MustCompile(`"([a-z_]+)"`)
)

// Every failure that the Worker's modules name has words, and none has words in vain.
func TestEveryFailureOfTheModulesHasWords(t *testing.T) {
	text := ""
	for _, dir := range []string{"edge", "objects", "socket", "container"} {
		modules, err := filepath.Glob(filepath.Join("../../../wrangler", dir, "*.mjs"))
		if err != nil || len(modules) == 0 {
			t.Fatalf("%s: %v, %v", dir, modules, err)
		}
		for _, path := range modules {
			b, err := os.ReadFile(path) //nolint:gosec // a file of the repository
			if err != nil {
				t.Fatal(err)
			}
			text += string(b)
			for _, call := range namesFailure.FindAllStringSubmatch(string(b), -1) {
				for _, kind := range literal.FindAllStringSubmatch(call[1], -1) {
					if failures[kind[1]] == nil {
						t.Errorf("%s names the failure %q, which has no words", filepath.Base(path), kind[1])
					}
				}
			}
		}
	}
	for kind, e := range failures {
		if !strings.Contains(text, `"`+kind+`"`) {
			t.Errorf("no module names the failure %q", kind)
		}
		if e.Hint == "" {
			t.Errorf("%q does not say what to do", kind)
		}
	}
}
