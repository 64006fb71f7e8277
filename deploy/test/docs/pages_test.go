package docs_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#{1,6} +(.+?)\s*$`)
	dropped = regexp.MustCompile(`[^\p{L}\p{N}\p{M} _-]`)
)

// anchors are the places of a page that a link can name, as GitHub makes them.
func anchors(page string) map[string]bool {
	out := map[string]bool{}
	for _, m := range heading.FindAllStringSubmatch(fence.ReplaceAllString(page, ""), -1) {
		name := strings.ToLower(dropped.ReplaceAllString(m[1], ""))
		out[strings.ReplaceAll(name, " ", "-")] = true
	}
	return out
}

func TestEveryRelativeLinkResolves(t *testing.T) {
	for _, page := range pages(t) {
		text := fence.ReplaceAllString(source(t, page), "")
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			if strings.Contains(m[1], "://") || strings.HasPrefix(m[1], "mailto:") {
				continue
			}
			name, anchor, _ := strings.Cut(m[1], "#")
			target := page
			if name != "" {
				target = filepath.ToSlash(filepath.Join(filepath.Dir(page), name))
				if _, err := os.Stat(filepath.Join(root, target)); err != nil || strings.HasPrefix(target, "..") {
					t.Errorf("%s: the link %s leads nowhere", page, m[1])
					continue
				}
			}
			if anchor != "" && !anchors(source(t, target))[anchor] {
				t.Errorf("%s: %s has no heading for %s", page, target, m[1])
			}
		}
	}
}

// What a reader is told to type must at least be shell.
func TestShellExamplesParse(t *testing.T) {
	found := 0
	for _, page := range pages(t) {
		for _, b := range blocks(source(t, page)) {
			switch b.info {
			case "bash", "shell", "console", "zsh":
				t.Errorf("%s: a block is marked %s; mark it sh, so that it is checked", page, b.info)
			case "sh":
				found++
				cmd := exec.CommandContext(t.Context(), "bash", "-n")
				cmd.Stdin = strings.NewReader(b.text)
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Errorf("%s: %v: %s\n%s", page, err, out, b.text)
				}
			}
		}
	}
	if found < 3 {
		t.Errorf("found %d shell blocks, so this test has lost its source", found)
	}
}

// private are traces of the machine that a page was written on.
var private = regexp.MustCompile(`/(?:work|root|home|tmp|Users)/|registry\.[a-z]|proxy\.golang|goproxy|npmmirror|:4873|(?:^|[^.\d])(?:10|192\.168|172\.(?:1[6-9]|2\d|3[01]))\.\d+\.\d+\.\d+:`)

func TestPagesHoldNoTraceOfAMachine(t *testing.T) {
	for _, page := range pages(t) {
		for i, line := range strings.Split(source(t, page), "\n") {
			if m := private.FindString(line); m != "" {
				t.Errorf("%s:%d holds %q", page, i+1, m)
			}
		}
	}
}

// Targets that a page names must be there.
func TestMakeTargetsExist(t *testing.T) {
	targets := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^([a-z-]+):`).FindAllStringSubmatch(source(t, "Makefile"), -1) {
		targets[m[1]] = true
	}
	for _, page := range pages(t) {
		for _, m := range regexp.MustCompile("(?m)(?:`|^|&& )make ([a-z-]+)").FindAllStringSubmatch(source(t, page), -1) {
			if !targets[m[1]] {
				t.Errorf("%s names make %s, which the Makefile does not have", page, m[1])
			}
		}
	}
}

// translations are the pages that there are in two languages.
var translations = map[string]string{
	"README.md":                 "docs/README.zh-CN.md",
	"docs/COMPOSE.md":           "docs/zh-CN/COMPOSE.md",
	"docs/CONFIGURATION.md":     "docs/zh-CN/CONFIGURATION.md",
	"docs/DEPLOY-CLOUDFLARE.md": "docs/zh-CN/DEPLOY-CLOUDFLARE.md",
	"docs/DEPLOY-FLY.md":        "docs/zh-CN/DEPLOY-FLY.md",
	"docs/DEPLOY-RAILWAY.md":    "docs/zh-CN/DEPLOY-RAILWAY.md",
	"docs/DEPLOY-VPS.md":        "docs/zh-CN/DEPLOY-VPS.md",
	"docs/OPERATIONS.md":        "docs/zh-CN/OPERATIONS.md",
	"docs/PROTOCOL.md":          "docs/zh-CN/PROTOCOL.md",
	"docs/SECURITY.md":          "docs/zh-CN/SECURITY.md",
	"docs/TROUBLESHOOTING.md":   "docs/zh-CN/TROUBLESHOOTING.md",
}

// A translation has the headings of its original, in number and order of depth, and
// names what its original names: variables, codes, paths, commands, values. So a
// sentence that is added to one page and not to the other shows where it names any.
func TestTranslationsSayTheSame(t *testing.T) {
	for original, translation := range translations {
		if got, want := depths(source(t, translation)), depths(source(t, original)); got != want {
			t.Errorf("%s has headings of depths %s, %s has %s", translation, got, original, want)
		}
		here, there := named(t, original), named(t, translation)
		for name := range here {
			if !there[name] {
				t.Errorf("%s names `%s`, %s does not", original, name, translation)
			}
		}
		for name := range there {
			if !here[name] {
				t.Errorf("%s names `%s`, %s does not", translation, name, original)
			}
		}
	}
}

var code = regexp.MustCompile("`([^`\n]+)`")

// named is what a page sets in the font of code, outside of blocks; but for what it
// proposes to say to the agent.
func named(t *testing.T, page string) map[string]bool {
	t.Helper()
	text := indented.ReplaceAllString(source(t, page), "")
	out := map[string]bool{}
	for _, m := range code.FindAllStringSubmatch(prompt.ReplaceAllString(text, ""), -1) {
		out[m[1]] = true
	}
	return out
}

// indented is a block, also one within a list.
var indented = regexp.MustCompile("(?ms)^ *```.*?^ *```$")

func depths(page string) string {
	var out strings.Builder
	for _, m := range regexp.MustCompile(`(?m)^(#{1,6}) `).FindAllStringSubmatch(fence.ReplaceAllString(page, ""), -1) {
		out.WriteString(string(rune('0' + len(m[1]))))
	}
	return out.String()
}

// What the code and its messages send a reader to must be there.
func TestPagesThatTheCodeNamesExist(t *testing.T) {
	named := regexp.MustCompile(`\bdocs/[A-Za-z0-9/._-]+\.md\b`)
	found := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			switch d.Name() {
			case "node_modules", ".git", ".wrangler", "build", "bin", "data", "docs":
				return fs.SkipDir // docs itself has links, which another test follows
			}
			return nil
		}
		switch filepath.Ext(path) {
		case ".go", ".mjs", ".js", ".sh", "":
		default:
			return nil
		}
		b, err := os.ReadFile(path) //nolint:gosec // a file of the repository
		if err != nil {
			return err
		}
		for _, name := range named.FindAllString(string(b), -1) {
			found++
			if _, err := os.Stat(filepath.Join(root, name)); err != nil {
				t.Errorf("%s names %s, which is not there", path, name)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if found < 5 {
		t.Errorf("found %d names, so this test has lost its source", found)
	}
}
