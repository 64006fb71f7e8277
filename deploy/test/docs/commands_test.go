package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// goTest is a command that tests something, and the module in which it does.
var (
	goTest    = regexp.MustCompile("`go test ([^`]+)`")
	inModule  = regexp.MustCompile("in `(agent|gateway|deploy|pkg)`")
	testFunc  = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark)\w+)\(`)
	namedTest = regexp.MustCompile("`(Test[A-Z]\\w+)`")
	own       = []string{"-run", "-v", "-timeout", "-args", "-count", "-fuzz", "-bench", "-benchmem"}
)

// Whoever wants to see a figure again types the command beside it: it must name a
// package that is there, tests that are there, and flags that these tests have.
func TestCommandsThatTestSomethingFindIt(t *testing.T) {
	found := 0
	for _, page := range pages(t) {
		text := source(t, page)
		for _, at := range goTest.FindAllStringSubmatchIndex(text, -1) {
			found++
			command := strings.Fields(text[at[2]:at[3]])
			module := inModule.FindStringSubmatch(text[at[1]:])
			if module == nil {
				t.Errorf("%s: `go test %s` says no module", page, strings.Join(command, " "))
				continue
			}
			findTests(t, page, module[1], command)
		}
	}
	if found < 8 {
		t.Errorf("found %d commands, so this test has lost its source", found)
	}
}

// findTests looks for what a command names in the package that it names.
func findTests(t *testing.T, page, module string, command []string) {
	t.Helper()
	said := strings.Join(command, " ")
	i := slices.IndexFunc(command, func(arg string) bool { return strings.HasPrefix(arg, "./") })
	if i < 0 {
		t.Errorf("%s: `go test %s` names no package", page, said)
		return
	}
	names, err := filepath.Glob(filepath.Join(root, module, command[i], "*_test.go"))
	if err != nil || len(names) == 0 {
		t.Errorf("%s: `go test %s`: there are no tests in %s/%s (%v)", page, said, module, command[i], err)
		return
	}
	var code strings.Builder
	for _, name := range names {
		b, err := os.ReadFile(name) //nolint:gosec // a file of the repository
		if err != nil {
			t.Fatal(err)
		}
		code.Write(b)
	}
	for i, arg := range command {
		switch {
		case arg == "-run" && i+1 < len(command):
			run, err := regexp.Compile(strings.Trim(command[i+1], "'"))
			if err != nil || !slices.ContainsFunc(testFunc.FindAllStringSubmatch(code.String(), -1), func(m []string) bool { return run.MatchString(m[1]) }) {
				t.Errorf("%s: `go test %s` runs nothing (%v)", page, said, err)
			}
		case strings.HasPrefix(arg, "-") && !slices.Contains(own, arg) && !strings.Contains(code.String(), `("`+arg[1:]+`"`):
			t.Errorf("%s: `go test %s`: these tests have no flag %s", page, said, arg)
		}
	}
}

// A test that a page names must be there.
func TestTestsThatThePagesNameExist(t *testing.T) {
	var code strings.Builder
	for _, module := range []string{"agent", "gateway", "deploy", "pkg"} {
		for _, name := range goFiles(t, module) {
			if strings.HasSuffix(name, "_test.go") {
				code.WriteString(source(t, name))
			}
		}
	}
	all := map[string]bool{}
	for _, m := range testFunc.FindAllStringSubmatch(code.String(), -1) {
		all[m[1]] = true
	}
	found := 0
	for _, page := range pages(t) {
		for _, m := range namedTest.FindAllStringSubmatch(source(t, page), -1) {
			found++
			if !all[m[1]] {
				t.Errorf("%s names the test %s, which is not there", page, m[1])
			}
		}
	}
	if found < 4 {
		t.Errorf("found %d names, so this test has lost its source", found)
	}
}
