package docs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// root is the repository's folder, as seen from this package.
const root = "../../.."

// source reads a file of the repository.
func source(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, name)) //nolint:gosec // a name from this package
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// pages names all Markdown files that readers see: those at the top and in docs.
func pages(t *testing.T) []string {
	t.Helper()
	names := []string{"README.md", "CHANGELOG.md", "CONTRIBUTING.md"}
	err := filepath.WalkDir(filepath.Join(root, "docs"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(path, ".md") {
			rel, rerr := filepath.Rel(root, path)
			names, err = append(names, filepath.ToSlash(rel)), rerr
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(names) < 5 {
		t.Fatalf("found %v, want all pages", names)
	}
	return names
}

// goFiles names the Go files of a module, from the repository's folder on.
func goFiles(t *testing.T, module string) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(filepath.Join(root, module), func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == "node_modules":
			return fs.SkipDir
		case !d.IsDir() && strings.HasSuffix(path, ".go"):
			rel, err := filepath.Rel(root, path)
			names = append(names, filepath.ToSlash(rel))
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// block is a fenced block of a page.
type block struct {
	info string // what stands behind the fence
	text string
}

var fence = regexp.MustCompile("(?ms)^```([^\n]*)\n(.*?)^```$")

func blocks(page string) []block {
	var out []block
	for _, m := range fence.FindAllStringSubmatch(page, -1) {
		out = append(out, block{strings.TrimSpace(m[1]), m[2]})
	}
	return out
}

// rows returns the cells of every table row of a page whose first cell is code or
// text that matches; cells are trimmed.
func rows(page string, first *regexp.Regexp) [][]string {
	var out [][]string
	for line := range strings.Lines(page) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "|") {
			continue
		}
		// A | inside code is written \| and is part of its cell.
		line = strings.ReplaceAll(strings.Trim(line, "|"), `\|`, "\x00")
		cells := strings.Split(line, "|")
		for i := range cells {
			cells[i] = strings.ReplaceAll(strings.TrimSpace(cells[i]), "\x00", "|")
		}
		if first.MatchString(cells[0]) {
			out = append(out, cells)
		}
	}
	return out
}

// sameSet compares what the code has with what a page has, in both directions.
func sameSet(t *testing.T, what string, code, page []string) {
	t.Helper()
	if len(code) == 0 {
		t.Fatalf("no %s found in the code: this test has lost its source", what)
	}
	for _, c := range code {
		if !slices.Contains(page, c) {
			t.Errorf("%s %s is in the code and not on the page", what, c)
		}
	}
	for i, p := range page {
		if !slices.Contains(code, p) {
			t.Errorf("%s %s is on the page and not in the code", what, p)
		}
		if slices.Contains(page[:i], p) {
			t.Errorf("%s %s is on the page twice", what, p)
		}
	}
}
