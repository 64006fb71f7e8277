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

// Every package has a row in the table of packages, by itself or in that of the folder
// above it. Left out are the roots of modules, the two programs, and what only tests
// start.
func TestTheArchitectureNamesEveryPackage(t *testing.T) {
	_, table, _ := strings.Cut(source(t, "docs/architecture.md"), "## The packages\n")
	table, _, _ = strings.Cut(table, "\n## ")
	named := func(folder string) bool {
		for line := range strings.Lines(table) {
			if strings.Contains(line, "`"+folder+"`") {
				return true
			}
			for above := path.Dir(folder); above != "."; above = path.Dir(above) {
				if strings.Contains(line, "`"+above+"`") && strings.Contains(line, "`"+strings.TrimPrefix(folder, above+"/")+"`") {
					return true
				}
			}
		}
		return false
	}
	seen := map[string]bool{}
	for _, module := range []string{"agent", "gateway", "pkg", "deploy"} {
		for _, name := range goFiles(t, module) {
			folder := path.Dir(name)
			below := strings.HasPrefix(folder, "deploy/test/cloudflare/") || slices.Contains([]string{"deploy/cmd/compose/provider", "gateway/host/workers/testprogram"}, folder)
			switch {
			case strings.HasSuffix(name, "_test.go"), seen[folder], below, folder == module, folder == module+"/cmd/"+module, strings.HasSuffix(folder, "test"):
				continue
			}
			if seen[folder] = true; !named(folder) {
				t.Errorf("docs/architecture.md has no row for the package %s", folder)
			}
		}
	}
	if len(seen) < 60 {
		t.Errorf("found %d packages, so this test has lost its source", len(seen))
	}
}
