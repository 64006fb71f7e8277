package telemetry_test

import (
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// owners are the packages that alone may know of a library. What is ours and stands in
// both programs may know of pkg, and of no program.
var owners = map[string]string{
	"github.com/prometheus/":                   "metrics",
	"go.opentelemetry.io/":                     "traces",
	"github.com/loongclaw/loongclaw/pkg/":      "",
	"github.com/loongclaw/loongclaw/telemetry": "none",
}

var contract = regexp.MustCompile(`(?s)\bOwns: .+\nTouches: .+\nNever: `)

func TestEachPackageKnowsWhatItMay(t *testing.T) {
	packages, err := filepath.Glob("*/doc.go")
	if err != nil || len(packages) < 3 {
		t.Fatalf("%v, %v: this test has lost its source", packages, err)
	}
	for _, doc := range packages {
		name := filepath.Dir(doc)
		files, err := filepath.Glob(name + "/*.go")
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range files {
			f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly|parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			if path == doc && !contract.MatchString(f.Doc.Text()) {
				t.Errorf("%s lacks Owns, Touches or Never", path)
			}
			for _, i := range f.Imports {
				imported, _ := strconv.Unquote(i.Path.Value) // the parser has read it
				if first, _, _ := strings.Cut(imported, "/"); strings.Contains(first, ".") && !mayImport(name, imported) {
					t.Errorf("%s imports %s", path, imported)
				}
			}
		}
	}
}

func mayImport(name, imported string) bool {
	for foreign, owner := range owners {
		if strings.HasPrefix(imported, foreign) {
			return slices.Contains([]string{"", name}, owner)
		}
	}
	return false
}
