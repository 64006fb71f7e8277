package deploy_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// read returns the files of the checkout that match, by their path in it.
func read(t *testing.T, patterns ...string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, p := range patterns {
		found, err := filepath.Glob(filepath.Join("..", p))
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %v, %v", p, found, err)
		}
		for _, name := range found {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			out[strings.TrimPrefix(name, "../")] = string(b)
		}
	}
	return out
}

var (
	uses     = regexp.MustCompile(`(?m)^[\s-]*uses:\s*(\S+)`)
	byCommit = regexp.MustCompile(`@[0-9a-f]{40}$`)
	images   = regexp.MustCompile(`(?mi)^\s*(?:FROM|image:)\s+(\S+)`)
	byDigest = regexp.MustCompile(`@sha256:[0-9a-f]{64}$`)
)

// TestWhatOthersPublishIsNamedByItsDigest: a tag can be moved to something else, and
// a workflow of this repository holds its secrets.
func TestWhatOthersPublishIsNamedByItsDigest(t *testing.T) {
	seen := 0
	for name, text := range read(t, ".github/workflows/*.yml") {
		for _, m := range uses.FindAllStringSubmatch(text, -1) {
			seen++
			if !strings.HasPrefix(m[1], "./") && !byCommit.MatchString(m[1]) {
				t.Errorf("%s uses %s, which is not named by its commit", name, m[1])
			}
		}
	}
	for name, text := range read(t, "deploy/*Dockerfile", "deploy/compose.yaml") {
		for _, m := range images.FindAllStringSubmatch(text, -1) {
			seen++
			ours := m[1] == "scratch" || strings.Contains(m[1], ":-loongclaw-")
			if !ours && !byDigest.MatchString(m[1]) {
				t.Errorf("%s takes %s, which is not named by its digest", name, m[1])
			}
		}
	}
	if seen < 20 {
		t.Errorf("only %d names were found: the test no longer reads them", seen)
	}
}

// TestEveryPackageOfALockHasItsSum: npm checks an archive only against a sum that the
// lock has.
func TestEveryPackageOfALockHasItsSum(t *testing.T) {
	for name, text := range read(t, "*/package-lock.json", "*/*/package-lock.json") {
		var lock struct {
			Packages map[string]struct {
				Integrity string
				Link      bool
			}
		}
		if err := json.Unmarshal([]byte(text), &lock); err != nil || len(lock.Packages) < 2 {
			t.Fatalf("%s: %d packages, %v", name, len(lock.Packages), err)
		}
		for p, entry := range lock.Packages {
			if p != "" && !entry.Link && entry.Integrity == "" {
				t.Errorf("%s: %s has no integrity", name, p)
			}
		}
	}
}

// TestNoSecretTravels: what a checkout may hold of secrets is neither committed nor
// sent to a builder of images.
func TestNoSecretTravels(t *testing.T) {
	for name, text := range read(t, ".gitignore", "deploy/source.Dockerfile.dockerignore") {
		var lines []string
		for _, line := range strings.Split(text, "\n") {
			lines = append(lines, strings.Trim(strings.TrimSpace(line), "/"))
		}
		for _, want := range []string{".env", ".env.*", ".compose", ".run", "data", "workspace", "node_modules"} {
			if !slices.Contains(lines, want) && !slices.Contains(lines, "**/"+want) {
				t.Errorf("%s lacks %s", name, want)
			}
		}
	}
}

// TestEveryServiceOfComposeIsBounded: one service must not take the machine from the
// others.
func TestEveryServiceOfComposeIsBounded(t *testing.T) {
	text := read(t, "deploy/compose.yaml")["deploy/compose.yaml"]
	_, services, _ := strings.Cut(text, "\nservices:\n")
	services, _, _ = strings.Cut(services, "\nvolumes:\n")
	shared := strings.Contains(strings.Split(text, "\nservices:\n")[0], "mem_limit:") && strings.Contains(text, "pids_limit:")
	n := 0
	for _, s := range regexp.MustCompile(`(?m)^  [a-z-]+:\n(?:(?:    .*)?\n)*`).FindAllString(services, -1) {
		n++
		name := strings.TrimSpace(strings.SplitN(s, "\n", 2)[0])
		own := strings.Contains(s, "mem_limit:") && strings.Contains(s, "pids_limit:")
		if !own && (!shared || !strings.Contains(s, "<<: *")) {
			t.Errorf("the service %s has no limit on memory or processes", name)
		}
	}
	if n < 5 {
		t.Errorf("only %d services were found: the test no longer reads them", n)
	}
}
