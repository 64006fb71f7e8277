package agent_test

import (
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// uses are which files of a package use what others of it define, and by which names.
type uses map[[2]string]map[string]bool

// usesOf reads the files of a package, but its tests.
func usesOf(t *testing.T, p goPackage, lookup func(path string) (io.ReadCloser, error)) uses {
	t.Helper()
	fset := token.NewFileSet()
	var files []*ast.File
	for _, name := range p.GoFiles {
		f, err := parser.ParseFile(fset, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}}
	checks := types.Config{Importer: importer.ForCompiler(fset, "gc", lookup)}
	pkg, err := checks.Check(p.ImportPath, fset, files, info)
	if err != nil {
		t.Fatal(err)
	}
	found := uses{}
	for id, object := range info.Uses {
		from, to := filepath.Base(fset.Position(id.Pos()).Filename), filepath.Base(fset.Position(object.Pos()).Filename)
		if object.Pkg() != pkg || from == to {
			continue
		}
		pair := [2]string{from, to}
		if found[pair] == nil {
			found[pair] = map[string]bool{}
		}
		found[pair][object.Name()] = true
	}
	return found
}

// exports finds what the compiler keeps of the packages that some import.
func exports(t *testing.T, rooms []string) func(path string) (io.ReadCloser, error) {
	t.Helper()
	args := []string{"list", "-export", "-deps", "-f", "{{.ImportPath}} {{.Export}}"}
	for _, room := range rooms {
		args = append(args, "./"+room)
	}
	out, err := exec.Command("go", args...).Output() //nolint:gosec // folders of this module
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	where := map[string]string{}
	for line := range strings.Lines(string(out)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), " ")
		where[path] = file
	}
	return func(path string) (io.ReadCloser, error) {
		if where[path] == "" {
			return nil, fmt.Errorf("nothing is known of %s", path)
		}
		return os.Open(where[path])
	}
}

// ordered are the packages whose files depend on one another in one direction: there
// is an order in which each uses only what stands before it, and whoever reads them so
// meets nothing unknown. Elsewhere the methods of a type that is used everywhere stand
// in several files.
var ordered = []string{"aside", "auditlog", "audittrail", "egress", "files", "lease", "memory", "runs", "session", "sessionlist", "tasks", "thread", "transfer"}

func TestFilesDependInOneDirection(t *testing.T) {
	lookup := exports(t, ordered)
	held := 0
	for _, p := range list(t) {
		if !slices.Contains(ordered, p.room()) {
			continue
		}
		held++
		used := usesOf(t, p, lookup)
		for _, circle := range circlesIn(used) {
			if len(circle) < 2 {
				continue
			}
			t.Errorf("%s: these files depend on one another in a circle: %v", p.room(), circle)
			for pair, names := range used {
				if slices.Contains(circle, pair[0]) && slices.Contains(circle, pair[1]) {
					t.Logf("%s uses of %s: %v", pair[0], pair[1], slices.Sorted(maps.Keys(names)))
				}
			}
		}
	}
	if held != len(ordered) {
		t.Errorf("%d packages were looked at, want %v", held, ordered)
	}
}

// circlesIn returns the files in groups: those that depend on one another in a circle
// are one, and every other file is one of its own.
func circlesIn(u uses) [][]string {
	next := map[string][]string{"": nil}
	for pair := range u {
		next[pair[0]] = append(next[pair[0]], pair[1])
	}
	var groups [][]string
	var open []string
	number, low := map[string]int{}, map[string]int{}
	var visit func(string)
	visit = func(file string) { // Tarjan's search
		number[file] = len(number) + 1
		low[file] = number[file]
		open = append(open, file)
		for _, other := range next[file] {
			if number[other] == 0 {
				visit(other)
				low[file] = min(low[file], low[other])
			} else if slices.Contains(open, other) {
				low[file] = min(low[file], number[other])
			}
		}
		if low[file] == number[file] {
			at := slices.Index(open, file)
			groups = append(groups, slices.Sorted(slices.Values(open[at:])))
			open = open[:at:at]
		}
	}
	for _, file := range slices.Sorted(maps.Keys(next)) {
		if number[file] == 0 {
			visit(file)
		}
	}
	return groups
}

func TestCirclesAreFound(t *testing.T) {
	u := uses{{"a", "b"}: nil, {"b", "c"}: nil, {"c", "b"}: nil, {"c", "d"}: nil, {"d", "e"}: nil, {"e", "b"}: nil, {"f", "a"}: nil}
	got := fmt.Sprint(circlesIn(u))
	if want := "[[] [b c d e] [a] [f]]"; got != want {
		t.Errorf("circles %s, want %s", got, want)
	}
}
