package docs_test

import (
	"io/fs"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// codeFile is a file of the code in the text of a page.
var codeFile = regexp.MustCompile("`([A-Za-z0-9_./-]+\\.(?:go|mjs|js|sh))`")

// A reader of the architecture opens the files that it names: each is named with its
// folder, and there is one of that name and no other.
func TestTheFilesOfTheArchitectureExist(t *testing.T) {
	var all []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && slices.Contains([]string{"node_modules", ".git", ".wrangler", "build", "bin", "data", "dist"}, d.Name()):
			return fs.SkipDir
		case !d.IsDir():
			all = append(all, filepath.ToSlash(path))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, m := range codeFile.FindAllStringSubmatch(source(t, "docs/architecture.md"), -1) {
		if m[1] == "doc.go" || m[1] == "deps_test.go" {
			continue
		}
		found++
		if !strings.Contains(m[1], "/") {
			t.Errorf("docs/architecture.md names %s without its folder", m[1])
		}
		var fits []string
		for _, path := range all {
			if strings.HasSuffix(path, "/"+m[1]) {
				fits = append(fits, path)
			}
		}
		if len(fits) != 1 {
			t.Errorf("docs/architecture.md names %s, of which there are %d: %q", m[1], len(fits), fits)
		}
	}
	if found < 40 {
		t.Errorf("only %d files are named, so this test has lost its source", found)
	}
}

// Every package has a row in the table of packages, or is below one that has. The roots
// of modules and the two programs have none.
func TestTheArchitectureNamesEveryPackage(t *testing.T) {
	_, table, _ := strings.Cut(source(t, "docs/architecture.md"), "## The packages\n")
	table, _, _ = strings.Cut(table, "\n## ")
	seen := map[string]bool{}
	for _, module := range []string{"agent", "gateway", "pkg", "telemetry", "deploy"} {
		for _, name := range goFiles(t, module) {
			folder := path.Dir(name)
			if seen[folder] || folder == module || folder == module+"/cmd/"+module || strings.HasSuffix(name, "_test.go") {
				continue
			}
			seen[folder] = true
			named := false
			for at := folder; at != module; at = path.Dir(at) {
				named = named || strings.Contains(table, "`"+at+"`")
			}
			if !named {
				t.Errorf("docs/architecture.md has no row for the package %s", folder)
			}
		}
	}
	if len(seen) < 60 {
		t.Errorf("found %d packages, so this test has lost its source", len(seen))
	}
}
