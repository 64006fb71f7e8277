package docs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	wranglerLine = regexp.MustCompile(`npx wrangler ([^\n;|&#)` + "`" + `]+)`)
	word         = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)
)

// Without an account nothing of wrangler's can be run for good, but the pinned
// wrangler must have every command that a page names, with its flags.
func TestWranglerHasTheCommandsOfThePages(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts wrangler many times")
	}
	t.Parallel()
	dir := filepath.Join(root, "wrangler")
	if _, err := os.Stat(filepath.Join(dir, "node_modules/wrangler")); err != nil {
		t.Skip("SKIPPED: wrangler is not installed here. Next: make wasm")
	}
	help := map[string]string{}
	ask := func(args ...string) string {
		key := strings.Join(args, " ")
		if _, asked := help[key]; !asked {
			cmd := exec.CommandContext(t.Context(), "node_modules/node/bin/node", append(append([]string{"node_modules/wrangler/bin/wrangler.js"}, args...), "--help")...) //nolint:gosec // words of our pages, and --help
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "NO_COLOR=1", "WRANGLER_SEND_METRICS=false")
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Errorf("wrangler %s --help: %v\n%s", key, err, out)
			}
			help[key] = string(out)
		}
		return help[key]
	}
	seen := 0
	for _, page := range pages(t) {
		for _, m := range wranglerLine.FindAllStringSubmatch(source(t, page), -1) {
			fields := strings.Fields(m[1])
			// The words before the first that is none of wrangler's own.
			n := 0
			for n < len(fields) && word.MatchString(fields[n]) && strings.Contains(ask(fields[:n]...), "wrangler "+strings.Join(fields[:n+1], " ")) {
				n++
			}
			if n == 0 {
				t.Errorf("%s: wrangler has no %q", page, m[1])
				continue
			}
			seen++
			for _, f := range fields[n:] {
				flag, _, _ := strings.Cut(strings.TrimSuffix(f, ")"), "=")
				if strings.HasPrefix(flag, "--") && !slices.Contains(strings.FieldsFunc(ask(fields[:n]...), func(r rune) bool { return strings.ContainsRune(" ,\n\t", r) }), flag) {
					t.Errorf("%s: `wrangler %s` has no %s", page, strings.Join(fields[:n], " "), flag)
				}
			}
		}
	}
	if seen < 10 {
		t.Errorf("found %d commands, so this test has lost its source", seen)
	}
}
