package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// retired are identifiers that the code has lost, with the field's own word for each.
// Names on the wire, in the store and of variables are no identifiers, and stay.
var retired = map[string]string{
	"door": "egress proxy, egress token", "doors": "egress proxy, sandbox", "doorToken": "egressToken", "behindDoor": "proxied",
	"house": "deployment, repository", "newHouse": "newDeployment",
	"pulse": "lease", "unbeat": "Release", "beaten": "heartbeat", "minded": "watching", "takeable": "claimed", "mayTake": "Claimable", "adopt": "takeOver",
	"Unmark": "RemoveMarker", "Met": "Recover", "lookThrough": "visit", "takeUp": "resume",
	"Stands": "IsApproved", "rested": "idle",
	"fleet": "upstreams", "Away": "Unhealthy", "Spare": "Backup", "untaken": "notAccepted", "Untaken": "NotAccepted",
	"locate": "realIP", "identify": "requestID",
	"teamKeys": "accessKeys", "Strikes": "FailedAttempts", "farewell": "drainDelay", "Entrance": "Startup",
	"weather": "faults", "Weather": "Faults", "storms": "scenarios",
	"standin": "fakeprovider", "Lives": "Generations", "LifeOf": "GenerationOf",
}

// TestRetiredWords holds all Go code to the field's words: the glossary of
// docs/architecture.md has those of our own that stay.
func TestRetiredWords(t *testing.T) {
	found := 0
	for _, module := range []string{"agent", "gateway", "pkg", "telemetry", "deploy"} {
		for _, path := range goFiles(t, module) {
			fset := token.NewFileSet()
			f, err := parser.ParseFile(fset, filepath.Join(root, path), nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			found++
			ast.Inspect(f, func(n ast.Node) bool {
				if i, ok := n.(*ast.Ident); ok {
					if word := retired[i.Name]; word != "" {
						t.Errorf("%s: %s\nNext: the field says %s", fset.Position(i.Pos()), i.Name, word)
					}
				}
				return true
			})
		}
	}
	if found < 300 {
		t.Fatalf("only %d files were found", found)
	}
}

// retiredModules are names that the Worker's modules have lost. What stands in quotes is
// on the wire or in storage, and stays.
var retiredModules = map[string]string{
	"stir": "wake", "stirs": "wakeups", "stirred": "wake", "hears": "announce", "disperses": "clear", "expects": "add",
	"dismiss": "endTrial", "rests": "isPausable", "doorHeader": "egressHeader", "openDoors": "openEgress", "takeUp": "resume",
}

var (
	moduleProse = regexp.MustCompile("(?s)/\\*.*?\\*/|//[^\n]*|\"[^\"\n]*\"|`[^`]*`")
	moduleName  = regexp.MustCompile(`[A-Za-z_]\w*`)
)

func TestRetiredWordsOfTheWorker(t *testing.T) {
	modules, err := filepath.Glob(filepath.Join(root, "wrangler/*/*.mjs"))
	if err != nil || len(modules) < 30 {
		t.Fatalf("%d modules, %v: this test has lost its source", len(modules), err)
	}
	for _, path := range modules {
		if strings.Contains(path, "/build/") {
			continue
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range moduleName.FindAllString(moduleProse.ReplaceAllString(source(t, name), " "), -1) {
			if better := retiredModules[word]; better != "" {
				t.Errorf("%s: %s\nNext: the field says %s", name, word, better)
			}
		}
	}
}

// TestTheGlossaryIsInOrder: a reader looks a word up by its first letters.
func TestTheGlossaryIsInOrder(t *testing.T) {
	_, rest, ok := strings.Cut(source(t, "docs/architecture.md"), "## Words\n")
	if !ok {
		t.Fatal("docs/architecture.md has no section Words")
	}
	rest, _, _ = strings.Cut(rest, "\n## ")
	var words []string
	for line := range strings.Lines(rest) {
		if word, ok := strings.CutPrefix(line, "| **"); ok {
			word, _, _ = strings.Cut(word, "**")
			words = append(words, strings.ToLower(word))
		}
	}
	if len(words) < 15 || !slices.IsSorted(words) {
		t.Errorf("%d words, in this order: %v", len(words), words)
	}
}
