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
	if err == nil {
		err = add(filepath.Join(dir, "package-lock.json"))
	}
	if err == nil {
		err = add(filepath.Join(dir, "build", "bundle.go"))
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

// words is the size of the larger of the two languages: a reader loads one at once.
func words(files map[string][]byte) int {
	largest := 0
	for name, content := range files {
		if strings.HasPrefix(name, "assets/en-") || strings.HasPrefix(name, "assets/zh-") {
			largest = max(largest, zipped(content))
		}
	}
	return largest
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
