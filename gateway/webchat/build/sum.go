package main

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// sumFile holds the sum of the sources that dist was made from, so that a
// machine without the page's packages can still tell that dist is stale.
const sumFile = "dist.sum"

// sourceSum is a hash over everything that decides what is built.
func sourceSum(dir string) (string, error) {
	h := sha256.New()
	add := func(path string) error {
		content, err := os.ReadFile(path) //nolint:gosec // our own sources
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(h, "%s %d\n%s", filepath.ToSlash(name), len(content), content)
		return err
	}
	err := filepath.WalkDir(filepath.Join(dir, "src"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return add(path)
	})
	for _, file := range []string{"package-lock.json", "build/bundle.go", "build/marked.go", "build/shrink.go", "build/shrink.mjs"} {
		if err == nil {
			err = add(filepath.Join(dir, filepath.FromSlash(file)))
		}
	}
	if err != nil {
		return "", fmt.Errorf("sum up the page's sources: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

var named = regexp.MustCompile(`assets/[\w.-]+`)

// sizes gives the gzip sizes of what a browser loads at first (the page and all
// that it names, with the chunks these import at once) and of everything.
func sizes(files map[string][]byte) (first, all int) {
	seen := map[string]bool{}
	var visit func(name string)
	visit = func(name string) {
		content, ok := files[name]
		if !ok || seen[name] {
			return
		}
		seen[name] = true
		first += zipped(content)
		for _, n := range imports(name, content) {
			visit(n)
		}
	}
	visit("index.html")
	first += words(files)
	for name, content := range files {
		if name != "licenses.txt" {
			all += zipped(content)
		}
	}
	return first, all
}

// words is the size of the larger of the two languages' first words: a reader loads one at once.
func words(files map[string][]byte) int {
	largest := 0
	for name, content := range files {
		if strings.HasPrefix(name, "assets/en-") || strings.HasPrefix(name, "assets/zh-") {
			largest = max(largest, zipped(content))
		}
	}
	return largest
}

// languages are those that the page speaks. The words of each are files of their own.
var languages = []string{"en", "zh"}

// weight is what one reader fetches, in bytes with gzip, by what it is for.
type weight struct {
	// conversation is everything that a conversation needs but colours and formulas.
	conversation int
	// files is what files that come with messages need; digest the part of it that
	// only browsers without crypto.subtle fetch, on plain HTTP from elsewhere.
	files, digest int
	// places is what stands beside conversations: tools, skills, what waits, settings.
	places int
	// code is the colours of all languages of programs, math the formulas, and
	// sanitizer what they and drawings need and nothing else does.
	code, math, sanitizer int
}

// page is everything but what code and formulas need.
func (w weight) page() int { return w.conversation + w.files + w.places }

// beginnings tell by a file's name what it is for; what is none of these is the colours of one language.
var beginnings = []struct {
	pattern *regexp.Regexp
	of      func(*weight) []*int
}{
	{regexp.MustCompile(`^assets/sha256-`), func(w *weight) []*int { return []*int{&w.files, &w.digest} }},
	{regexp.MustCompile(`^assets/(?:attach-|files\.)`), func(w *weight) []*int { return []*int{&w.files} }},
	{regexp.MustCompile(`^assets/(?:panels-|places\.)`), func(w *weight) []*int { return []*int{&w.places} }},
	{regexp.MustCompile(`^assets/tex-`), func(w *weight) []*int { return []*int{&w.math} }},
	{regexp.MustCompile(`^assets/sanitize-`), func(w *weight) []*int { return []*int{&w.sanitizer} }},
	{sharedFile, func(w *weight) []*int { return []*int{&w.conversation} }},
	{regexp.MustCompile(`^(?:index\.html$|assets/(?:main|index|icon|prose|cards|difference|drawing|en|zh)-|assets/(?:steps|faults)\.)`), func(w *weight) []*int { return []*int{&w.conversation} }},
	{regexp.MustCompile(`^assets/`), func(w *weight) []*int { return []*int{&w.code} }},
}

var (
	sharedFile = regexp.MustCompile(`^assets/chunk-`)
	pageFile   = regexp.MustCompile(`^assets/(?:main|prose|cards|attach|panels|drawing|chunk)-`)
)

// namedByPage reports whether anything but colours and formulas needs this chunk.
func namedByPage(chunk string, files map[string][]byte) bool {
	for name, content := range files {
		if pageFile.MatchString(name) && slices.Contains(imports(name, content), chunk) {
			return true
		}
	}
	return false
}

var wordsOf = regexp.MustCompile(`^assets/(?:\w+\.)?(en|zh)-`)

// weigh sums up what a reader of one language fetches when all of the page is used.
func weigh(files map[string][]byte, lang string) weight {
	var w weight
	for name, content := range files {
		if found := wordsOf.FindStringSubmatch(name); found != nil && found[1] != lang {
			continue
		}
		for _, kind := range beginnings {
			if kind.pattern.MatchString(name) && (kind.pattern != sharedFile || namedByPage(name, files)) {
				for _, sum := range kind.of(&w) {
					*sum += zipped(content)
				}
				break
			}
		}
	}
	return w
}

var static = regexp.MustCompile(`(?:from|import)\s*"\./([\w.-]+)"`)

func imports(name string, content []byte) []string {
	var names []string
	if name == "index.html" {
		for _, n := range named.FindAll(content, -1) {
			names = append(names, string(n))
		}
		return names
	}
	for _, n := range static.FindAllSubmatch(content, -1) {
		names = append(names, "assets/"+string(n[1]))
	}
	return names
}

func zipped(content []byte) int {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return len(content)
	}
	if _, err := z.Write(content); err != nil || z.Close() != nil {
		return len(content)
	}
	return b.Len()
}
