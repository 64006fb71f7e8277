package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/gateway/webchat"
)

const (
	// What a new chat cannot be shown without, the words of one language included.
	maxFirst = 60_000
	// Without what only code, formulas, files, their comparison and the places beside
	// conversations need.
	maxPage = 135_000
	// What files that come with messages need.
	maxFiles = 15_000
	// What those places need: tools, skills, what waits, settings.
	maxPanels = 20_000
	maxAll    = 285_000
)

// committed reads the embedded page.
func committed(t *testing.T) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	err := fs.WalkDir(webchat.Files(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := fs.ReadFile(webchat.Files(), path)
		files[path] = content
		return err
	})
	if err != nil {
		t.Fatalf("read the embedded page: %v", err)
	}
	return files
}

func TestCommittedPageWasMadeFromTheseSources(t *testing.T) {
	got, err := sourceSum("..")
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(filepath.Join("..", sumFile))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.TrimSpace(string(want)), got); diff != "" {
		t.Errorf("dist is older than src; run npm run build in gateway/webchat (-recorded +now):\n%s", diff)
	}
}

func TestRebuildGivesTheCommittedBytes(t *testing.T) {
	if _, err := os.Stat("../node_modules"); err != nil {
		t.Skip("the page's packages are not installed (npm ci in gateway/webchat); the sum of the sources was compared")
	}
	built, err := bundle("..")
	if err != nil {
		t.Fatal(err)
	}
	want := committed(t)
	for name := range want {
		if built[name] == nil {
			t.Errorf("%s is committed but not built; run npm run build", name)
		}
	}
	for name, content := range built {
		if string(want[name]) != string(content) {
			t.Errorf("%s differs from what is committed (%d and %d bytes); run npm run build", name, len(want[name]), len(content))
		}
	}
}

func TestPageIsSmall(t *testing.T) {
	first, all := sizes(committed(t))
	words := 0
	for name, content := range committed(t) {
		if language.MatchString(name) {
			words = max(words, zipped(content))
		}
	}
	if words == 0 {
		t.Error("there are no words of a language: the measure misses files")
	}
	if first > maxFirst || all > maxAll { // the words are in both
		t.Errorf("gzip: first load %d (at most %d), all %d (at most %d)", first, maxFirst, all, maxAll)
	}
	page := all
	for name := range reached(committed(t), "languages-", "tex-", "difference-") {
		page -= zipped(committed(t)[name])
	}
	for _, part := range []struct {
		what  string
		names []string
		most  int
	}{{"files", []string{"attach-", "sha256-"}, maxFiles}, {"the other places", []string{"panels-"}, maxPanels}} {
		size := 0
		for name := range reached(committed(t), part.names...) {
			size += zipped(committed(t)[name])
		}
		if size < 5_000 || size > part.most {
			t.Errorf("gzip: what %s need %d, want 5000 to %d", part.what, size, part.most)
		}
		page -= size
	}
	if page > maxPage || page >= all-60_000 {
		t.Errorf("gzip: without code, formulas, files and other places %d (at most %d), with them %d", page, maxPage, all)
	}
	if first < 10_000 || all <= first {
		t.Errorf("gzip: first load %d and all %d cannot be right: the measure misses files", first, all)
	}
}

var language = regexp.MustCompile(`^assets/(?:en|zh)-`)

var anyImport = regexp.MustCompile(`"\./([\w.-]+\.js)"`)

// reached lists the chunks that begin so, and what they alone lead to: what is in
// the first load belongs to the page.
func reached(files map[string][]byte, beginnings ...string) map[string]bool {
	seen := map[string]bool{}
	var visit func(name string)
	visit = func(name string) {
		if seen[name] || files[name] == nil || strings.HasPrefix(name, "assets/main-") || strings.HasPrefix(name, "assets/chunk-") {
			return
		}
		seen[name] = true
		for _, found := range anyImport.FindAllSubmatch(files[name], -1) {
			visit("assets/" + string(found[1]))
		}
	}
	for name := range files {
		for _, beginning := range beginnings {
			if strings.HasPrefix(name, "assets/"+beginning) {
				visit(name)
			}
		}
	}
	return seen
}

func TestPageNeedsNothingThatItsPolicyForbids(t *testing.T) {
	html := string(committed(t)["index.html"])
	for what, pattern := range map[string]string{
		"inline script":         `<script(?:>|[^>]*>[^<])`,
		"inline style":          `<style|\sstyle=`,
		"event attribute":       `\son\w+=`,
		"address of a stranger": `(?:src|href)="(?:https?:)?//`,
	} {
		if found := regexp.MustCompile(pattern).FindString(html); found != "" {
			t.Errorf("index.html has an %s: %q", what, found)
		}
	}
}

func TestWhatTheScriptCannotStartWithoutIsAskedForBesideIt(t *testing.T) {
	files := committed(t)
	html := string(files["index.html"])
	for name, content := range files {
		if !strings.HasPrefix(name, "assets/main-") {
			continue
		}
		needed := imports(name, content)
		if len(needed) == 0 {
			t.Error("the script imports nothing: the test no longer reads it")
		}
		for _, chunk := range needed {
			if !strings.Contains(html, `<link rel="modulepreload" href="/`+chunk+`">`) {
				t.Errorf("index.html does not ask for %s", chunk)
			}
		}
	}
}

func TestLockFileNamesNoRegistry(t *testing.T) {
	lock, err := os.ReadFile("../package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(lock), `"resolved"`) {
		t.Error("package-lock.json names a registry; npm install with the .npmrc beside it writes none")
	}
}

func TestBundleSaysWhatIsMissing(t *testing.T) {
	_, err := bundle(t.TempDir())
	if err == nil || !strings.Contains(err.Error(), "npm ci") {
		t.Errorf("bundle without packages: got %v, want an error that names npm ci", err)
	}
}

func TestSizesFollowsStaticImportsOnly(t *testing.T) {
	files := map[string][]byte{
		"index.html":  []byte(`<script src="/assets/a.js">`),
		"assets/a.js": []byte(`import{x}from"./b.js";import("./c.js")`),
		"assets/b.js": []byte(`b`), "assets/c.js": []byte(`c`),
	}
	got, all := sizes(files)
	want := zipped(files["index.html"]) + zipped(files["assets/a.js"]) + zipped(files["assets/b.js"])
	if got != want || all != want+zipped(files["assets/c.js"]) {
		t.Errorf("sizes: got %d and %d, want %d and %d", got, all, want, want+zipped(files["assets/c.js"]))
	}
}
