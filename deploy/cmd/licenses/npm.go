package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// npmPackages lists what a package lock names. What is bundled into the page are
// the packages that are not for development only.
func npmPackages(dir string) ([]entry, error) {
	name := filepath.Join(dir, "package-lock.json")
	b, err := os.ReadFile(name) // #nosec G304 -- one of two files of the repository
	if err != nil {
		return nil, err
	}
	var lock struct {
		Packages map[string]struct {
			Version, License string
			Dev              bool
		}
	}
	if err := json.Unmarshal(b, &lock); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	var rows []entry
	for path, p := range lock.Packages {
		at := strings.LastIndex(path, "node_modules/")
		if at < 0 {
			continue // ourselves
		}
		if p.License == "" {
			return nil, fmt.Errorf("%s: %s has no licence", name, path)
		}
		e := entry{name: path[at+len("node_modules/"):], version: p.Version, license: p.License}
		if !p.Dev {
			e.in = []string{shipped(name)}
		}
		rows = append(rows, e)
	}
	slices.SortFunc(rows, func(a, b entry) int { return strings.Compare(a.name+" "+a.version, b.name+" "+b.version) })
	return slices.CompactFunc(rows, func(a, b entry) bool { return a.name == b.name && a.version == b.version }), nil
}

// shipped is what of ours the packages of a lock go into, those that are no tools.
func shipped(lock string) string {
	if strings.Contains(filepath.ToSlash(lock), "wrangler/") {
		return "Worker"
	}
	return "page"
}
