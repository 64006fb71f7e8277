package pkg_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/loongclaw/loongclaw/pkg"

// rooms are the packages of the contract and which of each other they may know.
var rooms = map[string][]string{
	"fault":  {},
	"redact": {},
	"sse":    {},
	"pass":   {"signed"},
	"signed": {},
	"plain":  {},
	"chat":   {"fault"},
}

// bans keep I/O, waiting and platforms out of the contract, which both sides
// compile in, the one for WebAssembly too.
var bans = []string{
	"context", "embed", "expvar", "log", "log/slog", "net", "net/http", "net/rpc", "os", "os/exec", "os/signal",
	"os/user", "path/filepath", "plugin", "reflect", "runtime", "runtime/debug", "sync", "sync/atomic", "syscall", "syscall/js", "testing", "unsafe", "io/fs", "io/ioutil", "crypto/rand", "math/rand",
}

// clocks are what the contract is handed and never asks for itself.
var clocks = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}

type source struct {
	path, room string
	test       bool
	file       *ast.File
	fset       *token.FileSet
}

func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".go" {
			return err
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, path, nil, parser.ParseComments)
		if err == nil {
			all = append(all, source{path, filepath.ToSlash(filepath.Dir(path)), strings.HasSuffix(path, "_test.go"), f, fset})
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 12 {
		t.Fatalf("only %d files were found", len(all))
	}
	return all
}

func imports(f *ast.File) []string {
	var out []string
	for _, i := range f.Imports {
		path, _ := strconv.Unquote(i.Path.Value) // the parser has read it
		out = append(out, path)
	}
	return out
}

func TestTheContractImportsTheStandardLibraryOnly(t *testing.T) {
	for _, s := range sources(t) {
		for _, i := range imports(s.file) {
			room, ours := strings.CutPrefix(i, module+"/")
			first, _, _ := strings.Cut(i, "/")
			switch {
			case ours && s.test:
			case ours:
				if !slices.Contains(rooms[s.room], room) {
					t.Errorf("%s imports %s", s.path, i)
				}
			case strings.Contains(first, "."):
				t.Errorf("%s imports %s, which is not in the standard library", s.path, i)
			case !s.test && slices.Contains(bans, i):
				t.Errorf("%s imports %s: the contract does no I/O and keeps no state", s.path, i)
			}
		}
	}
}

func TestTheModuleRequiresNothing(t *testing.T) {
	b, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(b), "require") || strings.Contains(string(b), "replace") {
		t.Errorf("go.mod has requirements:\n%s", b)
	}
}

func TestEveryRoomIsRuled(t *testing.T) {
	found := map[string]bool{}
	for _, s := range sources(t) {
		found[s.room] = true
		if _, ruled := rooms[s.room]; !ruled && s.room != "." {
			t.Errorf("%s: this room has no rule here", s.room)
		}
	}
	for r := range rooms {
		if !found[r] {
			t.Errorf("there is no room %s any more", r)
		}
	}
}

// What starts a goroutine, waits or reads a clock would hang in the gateway's
// one shared instance on Workers.
func TestTheContractNeverWaits(t *testing.T) {
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				t.Errorf("%s starts a goroutine", s.fset.Position(n.Pos()))
			case *ast.SelectStmt:
				t.Errorf("%s waits in a select", s.fset.Position(n.Pos()))
			case *ast.ChanType:
				t.Errorf("%s has a channel", s.fset.Position(n.Pos()))
			case *ast.FuncDecl:
				if n.Name.Name == "init" && n.Recv == nil {
					t.Errorf("%s works in init", s.fset.Position(n.Pos()))
				}
			case *ast.SelectorExpr:
				if x, ok := n.X.(*ast.Ident); ok && x.Name == "time" && slices.Contains(clocks, n.Sel.Name) {
					t.Errorf("%s asks time.%s: the clock is handed in", s.fset.Position(n.Pos()), n.Sel.Name)
				}
			}
			return true
		})
	}
}

var contract = regexp.MustCompile(`(?s)\bOwns: .+\nTouches: .+\nNever: `)

func TestEveryPackageSaysWhatItOwns(t *testing.T) {
	docs := map[string]string{}
	for _, s := range sources(t) {
		if s.file.Doc != nil && !s.test {
			docs[s.room] += s.file.Doc.Text()
		}
	}
	for r := range rooms {
		if !contract.MatchString(docs[r]) {
			t.Errorf("%s: its package comment lacks Owns, Touches or Never:\n%s", r, docs[r])
		}
	}
}
