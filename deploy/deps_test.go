package deploy_test

import (
	"encoding/json"
	"errors"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	repository = "github.com/loongclaw/loongclaw/"
	module     = repository + "deploy"
)

// mayImport are the packages of deploy and of pkg that a package may know of, its
// tests included. What looks at the programs from outside must not learn the
// wire from the code that it judges: it knows of pkg's framing, keys and names,
// and of nothing that gateway or agent hold.
var mayImport = map[string][]string{
	"internal/client":             {"pkg/sse"},
	"internal/fakeprovider":       {},
	"internal/testenv":            {"pkg/pass"},
	"internal/load":               {"deploy/internal/client", "deploy/internal/fakeprovider", "pkg/sse"},
	"cmd/compose":                 {"deploy/internal/client", "deploy/internal/load", "deploy/internal/testenv", "deploy/internal/rollout", "pkg/pass"},
	"cmd/bench":                   {"deploy/internal/client", "deploy/internal/load", "deploy/internal/testenv", "deploy/internal/fakeprovider"},
	"cmd/local":                   {},
	"monitoring":                  {"deploy/internal/client", "deploy/internal/testenv", "deploy/internal/fakeprovider"},
	"test/page":                   {"deploy/internal/client", "deploy/internal/fakeprovider", "deploy/internal/testenv"},
	"test/docs":                   {"deploy/internal/testenv", "pkg/chat", "pkg/fault"},
	"internal/rollout":            {"deploy/internal/client", "deploy/internal/load", "deploy/internal/testenv", "deploy/internal/fakeprovider", "pkg/chat", "pkg/pass"}, // all but client for its tests
	"internal/rollout/cloudflare": {"agent/model/providers", "agent/websearch", "deploy/internal/rollout", "deploy/internal/testenv", "deploy/internal/fakeprovider", "gateway/limit"},
	"cmd/smoke":                   {"deploy/internal/client", "deploy/internal/testenv", "deploy/internal/fakeprovider", "pkg/pass", "pkg/sse"}, // testenv, fakeprovider and pass for its tests
	"cmd/rollout":                 {"deploy/internal/rollout", "deploy/internal/rollout/cloudflare"},
	"test/e2e":                    {"agent/model/anthropic/anthropictest", "deploy/internal/client", "deploy/internal/load", "deploy/internal/testenv", "deploy/internal/fakeprovider"}, // the played Anthropic is a provider, no part of ours

	// The one list of cases for every host of the core; it brings an agent of its own.
	"test/cloudflare": {"deploy/internal/client", "deploy/internal/testenv", "deploy/internal/fakeprovider", "deploy/internal/load", "deploy/internal/rollout", "deploy/internal/rollout/cloudflare", "gateway/edge/edgetest"},
}

type goPackage struct {
	ImportPath, Dir, Name              string
	Imports, TestImports, XTestImports []string
}

func (p goPackage) folder() string {
	return strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
}

func (p goPackage) all() []string { return slices.Concat(p.Imports, p.TestImports, p.XTestImports) }

func list(t *testing.T, args ...string) []goPackage {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Dir,Name,Imports,TestImports,XTestImports"}, args...)...)
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
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func TestWhatJudgesKnowsOnlyTheWire(t *testing.T) {
	found := map[string]bool{}
	for _, p := range list(t, "./...") {
		found[p.folder()] = true
		allowed, ruled := mayImport[p.folder()]
		for _, i := range p.all() {
			inside, ours := strings.CutPrefix(i, repository)
			switch {
			case !ours || i == p.ImportPath:
			case ruled && slices.Contains(allowed, inside):
			case strings.HasPrefix(inside, "gateway/") || strings.HasPrefix(inside, "agent/"):
				t.Errorf("%s imports %s: it must see what a client sees", p.ImportPath, i)
			case ruled:
				t.Errorf("%s imports %s", p.ImportPath, i)
			}
		}
	}
	for folder := range mayImport {
		if !found[folder] {
			t.Errorf("there is no package %s any more", folder)
		}
	}
}

// A program that starts others must start small, and what runs in production
// holds no tests.
func TestProgramsHoldNoTests(t *testing.T) {
	bans := []string{"testing", repository + "deploy/test/e2e", "net/http/httptest", "net/http/pprof", "expvar"}
	for _, p := range list(t, "./...") {
		for _, i := range p.Imports {
			if slices.Contains(bans, i) {
				t.Errorf("%s imports %s", p.ImportPath, i)
			}
		}
	}
	for _, p := range list(t, "-deps", "./cmd/local") {
		if first, _, _ := strings.Cut(p.ImportPath, "/"); strings.Contains(first, ".") && p.ImportPath != module+"/cmd/local" {
			t.Errorf("make run waits for %s to be built", p.ImportPath)
		}
	}
}

var contract = regexp.MustCompile(`(?s)\bOwns: .+\nTouches: .+\nNever: `)

func TestEveryPackageSaysWhatItOwns(t *testing.T) {
	for _, p := range list(t, "./...") {
		if p.folder() == "" {
			continue // this test itself
		}
		files, err := filepath.Glob(filepath.Join(p.Dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		doc := ""
		for _, f := range files {
			parsed, err := parser.ParseFile(token.NewFileSet(), f, nil, parser.ParseComments|parser.PackageClauseOnly)
			if err != nil {
				t.Fatal(err)
			}
			doc += parsed.Doc.Text()
		}
		if !contract.MatchString(doc) {
			t.Errorf("%s: its package comment lacks Owns, Touches or Never:\n%s", p.folder(), doc)
		}
	}
}
