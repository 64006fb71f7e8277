package agent_test

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	module    = "github.com/loongclaw/loongclaw/agent"
	shared    = "github.com/loongclaw/loongclaw/pkg"
	telemetry = "github.com/loongclaw/loongclaw/telemetry"
)

// owners are the packages that alone may import a foreign thing, tests included.
// A name that ends in "/" stands for everything below it.
var owners = map[string][]string{
	"github.com/labstack/echo/v4":             {"httpapi"},
	"github.com/tmc/langchaingo/":             {"model/langchain", "model/anthropic"},
	"github.com/aws/":                         {"bucket/r2"},
	"modernc.org/":                            {"bucket/sqlite"},
	"database/sql":                            {"bucket/sqlite"},
	"github.com/kelseyhightower/envconfig":    {"cmd/agent"},
	"github.com/prometheus/":                  {"meter"},
	"go.opentelemetry.io/":                    {"trace"},
	"github.com/blevesearch/bleve/v2/":        {"memory"},
	"mvdan.cc/sh/v3/":                         {"tools/shell"},
	"github.com/JohannesKaufmann/":            {"tools/webpage"},
	"golang.org/x/image/":                     {"attach"},
	"github.com/ledongthuc/pdf":               {"attach"},
	"github.com/modelcontextprotocol/go-sdk/": {"mcpserver", "tools/mcp"},
	"golang.org/x/oauth2":                     {"tools/mcp"},
	"github.com/loongclaw/loongclaw/pkg/sse":  {"httpapi"},
	telemetry + "/metrics":                    {"meter"},
	telemetry + "/traces":                     {"trace"},
	telemetry + "/program":                    {"cmd/agent"},
}

// mayTouch are the rooms whose programs, not tests, may touch the machine.
var mayTouch = map[string][]string{
	"os/exec": {"tools/mcp", "tools/shell", "tools/worker"},
	"os":      {"bucket/disk", "bucket/sqlite", "cmd/agent", "persona", "tools/mcp", "tools/process", "tools/shell", "tools/worker", "archive"},
	"syscall": {"bucket/disk", "bucket/sqlite", "cmd/agent", "tools/mcp", "tools/process", "tools/shell", "tools/worker"},
	"net":     {"cmd/agent", "outbound", "tools", "tools/mcp", "model/modeltest", "bucket/r2"},
	"embed":   {"memory", "model/providers", "tools", "websearch"},
	"log":     {}, // slog is handed in
	"testing": {"bucket/buckettest"},

	"github.com/johannesboyne/gofakes3":               {}, // a store for tests
	"github.com/johannesboyne/gofakes3/backend/s3mem": {},
}

// mayImport are the rooms of the agent that a room may know of.
var mayImport = map[string][]string{
	"bucket":                        {},
	"bucket/disk":                   {"bucket"},
	"bucket/r2":                     {"bucket"},
	"bucket/sqlite":                 {"bucket"},
	"bucket/buckettest":             {"bucket"},
	"journal":                       {"bucket", "guard", "record"},
	"record":                        {},
	"auditlog":                      {"record"},
	"session":                       {"auditlog", "loop", "record"},
	"lease":                         {},
	"files":                         {"bucket"},
	"memory":                        {"journal"},
	"guard":                         {},
	"loop":                          {"guard"},
	"model":                         {"loop", "model/anthropic", "model/langchain", "model/offline", "model/providers"},
	"model/dialect":                 {"loop"},
	"model/providers":               {},
	"model/refusal":                 {"loop", "model/providers"},
	"model/langchain":               {"loop", "model/dialect", "model/providers", "model/refusal", "model/wire"},
	"model/anthropic":               {"loop", "model/dialect", "model/providers", "model/refusal", "model/wire"},
	"model/wire":                    {},
	"model/offline":                 {"loop"},
	"model/modeltest":               {},
	"model/anthropic/anthropictest": {},

	"outbound":  {},
	"websearch": {"outbound"},

	"websearch/websearchtest": {},

	"skills":        {"auditlog", "bucket", "files", "loop", "tools", "users"},
	"attach":        {"tools/worker"},
	"tools":         {"attach", "files", "guard", "loop", "memory", "outbound", "websearch", "tools/shell", "tools/webpage", "tools/worker"},
	"tools/mcp":     {"auditlog", "bucket", "loop", "outbound", "tools", "tools/process", "users"},
	"tools/process": {},
	"tools/shell":   {"bucket", "files", "tools/process"},
	"tools/webpage": {},
	"tools/worker":  {"tools/process"},
	"users":         {"auditlog", "bucket", "files", "journal", "memory", "record"},
	"openai":        {},
	"thread":        {"openai"},
	"egress":        {"bucket"},
	"persona":       {"bucket", "users"},
	"transfer":      {"bucket", "users"},
	"tasks":         {"guard"},
	"sessionlist":   {"session", "users"},
	"audittrail":    {"auditlog", "bucket", "tasks", "users"},
	"aside":         {"attach", "files", "guard", "loop", "session", "tasks"},
	"runs":          {"aside", "attach", "auditlog", "audittrail", "bucket", "files", "guard", "journal", "lease", "loop", "memory", "record", "session", "sessionlist", "tasks", "tools", "users"},
	"mcpserver":     {"memory", "runs", "users"},
	"meter":         {"bucket", "loop"},
	"trace":         {"bucket", "egress", "loop"},
	"httpapi":       {"aside", "auditlog", "audittrail", "egress", "files", "loop", "mcpserver", "memory", "model", "openai", "runs", "session", "sessionlist", "skills", "thread", "tools", "tools/mcp", "users"},
}

type goPackage struct {
	ImportPath, Dir                             string
	GoFiles, Imports, TestImports, XTestImports []string
}

func (p goPackage) room() string {
	return strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
}

func (p goPackage) all() []string { return slices.Concat(p.Imports, p.TestImports, p.XTestImports) }

func list(t *testing.T) []goPackage {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,GoFiles,Imports,TestImports,XTestImports", "./...")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	var all []goPackage
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if p.room() != "" { // this test itself
			all = append(all, p)
		}
	}
	if len(all) < len(mayImport) {
		t.Fatalf("only %d packages were found", len(all))
	}
	return all
}

func behind(foreign, path string) bool {
	if strings.HasSuffix(foreign, "/") {
		return strings.HasPrefix(path, foreign)
	}
	return path == foreign || strings.HasPrefix(path, foreign+"/")
}

func TestEachForeignThingHasOneDoor(t *testing.T) {
	opened := map[string]bool{}
	for _, p := range list(t) {
		for _, i := range p.all() {
			for foreign, rooms := range owners {
				if !behind(foreign, i) {
					continue
				}
				opened[foreign] = true
				if !slices.Contains(rooms, p.room()) {
					t.Errorf("%s imports %s, which belongs to %v only", p.ImportPath, i, rooms)
				}
			}
		}
		for _, i := range p.Imports {
			if rooms, ruled := mayTouch[i]; ruled && !slices.Contains(rooms, p.room()) {
				t.Errorf("%s imports %s, which belongs to %v only", p.ImportPath, i, rooms)
			}
		}
	}
	for foreign := range owners {
		if !opened[foreign] {
			t.Errorf("nothing imports %s any more: take its foreign away", foreign)
		}
	}
}

func TestRoomsKnowOnlyWhatTheyMay(t *testing.T) {
	found := map[string]bool{}
	for _, p := range list(t) {
		found[p.room()] = true
		allowed, ruled := mayImport[p.room()]
		for _, i := range p.Imports {
			room, ours := strings.CutPrefix(i, module+"/")
			switch {
			case !ours:
			case ruled && !slices.Contains(allowed, room):
				t.Errorf("%s imports %s", p.ImportPath, i)
			case !strings.HasPrefix(p.room(), "cmd/") && (room == "httpapi" || strings.HasPrefix(room, "cmd/") || room == "model/modeltest" || room == "model/anthropic/anthropictest" || room == "websearch/websearchtest" || room == "bucket/buckettest"):
				t.Errorf("%s imports %s, which stands at the edge", p.ImportPath, i)
			}
			if strings.HasPrefix(i, "github.com/loongclaw/loongclaw/gateway") || strings.HasPrefix(i, "github.com/loongclaw/loongclaw/deploy") {
				t.Errorf("%s imports %s: the two sides share pkg and telemetry, and nothing else", p.ImportPath, i)
			}
		}
	}
	for room := range mayImport {
		if !found[room] {
			t.Errorf("there is no room %s any more", room)
		}
	}
}

// pure are the packages that only compute: they can be read, tested and compiled
// for the edge without anything else. Beside the listed packages of the agent they
// know the shared contract and the standard library, and of that nothing that
// waits, starts, or differs from call to call.
var pure = map[string][]string{
	"loop":     {"guard"},
	"record":   {},
	"auditlog": {"record"},
	"session":  {"auditlog", "loop", "record"},
}

func TestPurePackagesOnlyCompute(t *testing.T) {
	bans := []string{"os", "io", "net", "net/http", "sync", "log/slog", "math/rand", "math/rand/v2", "crypto/rand"}
	for _, p := range list(t) {
		known, ruled := pure[p.room()]
		if !ruled {
			continue
		}
		for _, i := range p.Imports {
			first, _, _ := strings.Cut(i, "/")
			room, ours := strings.CutPrefix(i, module+"/")
			switch {
			case ours && slices.Contains(known, room), strings.HasPrefix(i, shared+"/"):
			case ours, strings.Contains(first, "."), slices.Contains(bans, i):
				t.Errorf("%s imports %s", p.room(), i)
			}
		}
		for name, f := range parse(t, p.Dir) {
			ast.Inspect(f, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.GoStmt, *ast.SelectStmt, *ast.ChanType:
					t.Errorf("%s/%s waits or starts something: %T", p.room(), name, n)
				case *ast.SelectorExpr:
					if x, ok := n.X.(*ast.Ident); ok && x.Name == "time" && slices.Contains([]string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "NewTimer", "Tick"}, n.Sel.Name) {
						t.Errorf("%s/%s reads the clock", p.room(), name)
					}
				}
				return true
			})
		}
	}
}

// parse reads a folder's files, but the tests.
func parse(t *testing.T, dir string) map[string]*ast.File {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]*ast.File{}
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), f, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(f)] = parsed
	}
	return out
}

// What a room needs from the environment is handed to it.
func TestOnlyCommandsReadTheEnvironment(t *testing.T) {
	calls := []string{"Getenv", "LookupEnv", "Environ", "ExpandEnv", "Setenv", "Exit", "Args"}
	for _, p := range list(t) {
		if strings.HasPrefix(p.room(), "cmd/") {
			continue
		}
		for name, f := range parse(t, p.Dir) {
			ast.Inspect(f, func(n ast.Node) bool {
				s, ok := n.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				if x, ok := s.X.(*ast.Ident); ok && x.Name == "os" && slices.Contains(calls, s.Sel.Name) {
					t.Errorf("%s/%s uses os.%s", p.room(), name, s.Sel.Name)
				}
				return true
			})
		}
	}
}

var contract = regexp.MustCompile(`(?s)\bOwns: .+\nTouches: .+\nNever: `)

func TestEveryPackageSaysWhatItOwns(t *testing.T) {
	for _, p := range list(t) {
		doc := ""
		for _, f := range parse(t, p.Dir) {
			doc += f.Doc.Text()
		}
		if !contract.MatchString(doc) {
			t.Errorf("%s: its package comment lacks Owns, Touches or Never:\n%s", p.room(), doc)
		}
	}
}

func TestRoomsAreNamedAfterWhatTheyAre(t *testing.T) {
	bad := regexp.MustCompile(`^(utils?|common|helpers?|managers?|services?|impl|misc|shared|base|core)$`)
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && bad.MatchString(d.Name()) {
			t.Errorf("%s says nothing about what is in it", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Platforms differ where a program meets its machine, and nowhere else.
func TestBuildTagsAreOnlyInCommands(t *testing.T) {
	for _, p := range list(t) {
		for name, f := range parse(t, p.Dir) {
			tagged := slices.ContainsFunc(f.Comments, func(c *ast.CommentGroup) bool {
				return c.Pos() < f.Package && strings.HasPrefix(c.List[0].Text, "//go:build")
			})
			if tagged && !strings.HasPrefix(p.room(), "cmd/") {
				t.Errorf("%s/%s has a build tag", p.room(), name)
			}
		}
	}
}
