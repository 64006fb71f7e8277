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

// What a reader of one language fetches, in bytes with gzip.
const (
	// What a new chat cannot be shown without.
	maxFirst = 56_500
	// What a conversation needs but the colours of code and formulas.
	maxConversation = 99_000
	// What files that come with messages need.
	maxFiles = 12_000
	// What the places beside conversations need: tools, skills, what waits, settings.
	maxPlaces = 13_000
	// The three together, without what only pages over plain HTTP fetch.
	maxPage = 120_000
	// Everything, in both languages.
	maxAll = 270_000
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
	if words(committed(t)) == 0 {
		t.Error("there are no words of a language: the measure misses files")
	}
	if first > maxFirst || all > maxAll { // the words are in both
		t.Errorf("gzip: first load %d (at most %d), all %d (at most %d)", first, maxFirst, all, maxAll)
	}
	if first < 10_000 || all <= first {
		t.Errorf("gzip: first load %d and all %d cannot be right: the measure misses files", first, all)
	}
	for _, lang := range languages {
		w := weigh(committed(t), lang)
		t.Logf("%s: first load %d, %+v, together %d", lang, first, w, w.page())
		for _, part := range []struct {
			what              string
			size, least, most int
		}{
			{"a conversation needs", w.conversation, 60_000, maxConversation},
			{"files need", w.files, 5_000, maxFiles},
			{"the other places need", w.places, 5_000, maxPlaces},
			{"all of it but code and formulas needs over HTTPS", w.page() - w.digest, 80_000, maxPage},
			{"pages over plain HTTP fetch more", w.digest, 1_000, 3_000},
			{"code and formulas need", w.code + w.math + w.sanitizer, 60_000, 140_000},
		} {
			if part.size < part.least || part.size > part.most {
				t.Errorf("gzip, a reader of %s: what %s is %d bytes, want %d to %d", lang, part.what, part.size, part.least, part.most)
			}
		}
	}
}

func TestWeighCountsWhatOneReaderFetches(t *testing.T) {
	files := map[string][]byte{}
	for _, name := range []string{
		"index.html", "assets/main-A.js", "assets/chunk-A.js", "assets/chunk-B.js", "assets/en-A.js", "assets/zh-A.js", "assets/steps.en-A.js", "assets/steps.zh-A.js",
		"assets/attach-A.js", "assets/files.en-A.js", "assets/files.zh-A.js", "assets/sha256-A.js", "assets/panels-A.js", "assets/places.en-A.js", "assets/places.zh-A.js",
		"assets/tex-A.js", "assets/sanitize-A.js", "assets/core-A.js", "assets/go-A.js", "licenses.txt",
	} {
		files[name] = []byte(name[:2])
	}
	one, naming := zipped([]byte("as")), []byte(`import{a}from"./chunk-A.js"`)
	files["assets/main-A.js"], files["assets/go-A.js"] = naming, []byte(`import{a}from"./chunk-B.js"`)
	want := weight{conversation: 4*one + zipped(naming), files: 3 * one, digest: one, places: 2 * one, code: 2*one + zipped(naming), // the highlighter, a language, and what only that needs
		math: one, sanitizer: one}
	if diff := cmp.Diff(want, weigh(files, "en"), cmp.AllowUnexported(weight{})); diff != "" {
		t.Errorf("what a reader of English fetches (-want +got):\n%s", diff)
	}
}

// TestWordsOfOneLanguageAlone holds that no file of the page has the words of both.
func TestWordsOfOneLanguageAlone(t *testing.T) {
	han := regexp.MustCompile(`\p{Han}`)
	found := 0
	for name, content := range committed(t) {
		words := wordsOf.FindStringSubmatch(name)
		if words == nil {
			continue
		}
		found++
		// Each language is named in its own script, in the other's words, too.
		if n := len(han.FindAll(content, -1)); (n > 10) != (words[1] == "zh") {
			t.Errorf("%s has %d Chinese characters", name, n)
		}
	}
	if found != 10 {
		t.Errorf("found words in %d files, want 5 of each language", found)
	}
}

func TestMarkedComesWithoutItsWriter(t *testing.T) {
	for name, content := range committed(t) {
		if strings.HasPrefix(name, "assets/prose-") && strings.Contains(string(content), "markedjs/marked") {
			t.Errorf("%s holds marked's instance", name)
		}
	}
	source := `var w=1,_=2,S=3;var v=new ne;function x(l,e){return v.parse(l,e)}x.use=1;export{A as Hooks,w as Lexer,_ as Tokenizer,S as defaults};` + "\n//# map"
	got, err := lexerOf(source)
	if err != nil || got != "var w=1,_=2,S=3;export{w as Lexer,_ as Tokenizer};\n" {
		t.Errorf("lexerOf: got %q, %v", got, err)
	}
	for _, other := range []string{"", "export{w as Lexer,_ as Tokenizer};", strings.Replace(source, "w as Lexer,", "", 1)} {
		if _, err := lexerOf(other); err == nil {
			t.Errorf("lexerOf takes %q", other)
		}
	}
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
