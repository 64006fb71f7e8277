package cloudflare

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/loongclaw/loongclaw/deploy/internal/testenv"
)

var compatibility = regexp.MustCompile(`(?i)\bcompatibility_?date\b["']?\s*[:=]\s*["']([^"']*)["']`)

// TestOneCompatibilityDate holds every workerd that anything here starts to the date of
// the one that serves: what is tested under another date is another platform.
func TestOneCompatibilityDate(t *testing.T) {
	root, err := testenv.Root(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "git", "ls-files", "--cached", "--others", "--exclude-standard")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	dates := map[string][]string{}
	for file := range strings.Lines(string(out)) {
		file = strings.TrimSpace(file)
		switch filepath.Ext(file) {
		case ".go", ".mjs", ".js", ".json", ".jsonc", ".toml", ".capnp", ".sh", ".yml":
		default:
			continue
		}
		b, err := os.ReadFile(filepath.Join(root, file)) // #nosec G304 -- of this repository
		if err != nil {
			continue // it was removed and not committed
		}
		for _, m := range compatibility.FindAllStringSubmatch(string(b), -1) {
			dates[m[1]] = append(dates[m[1]], file)
		}
	}
	serves := regexp.MustCompile(`^\d{4}-\d\d-\d\d$`)
	for date, files := range dates {
		if !serves.MatchString(date) || len(dates) > 1 {
			t.Errorf("the date %q is in %s; want the one of wrangler/wrangler.jsonc everywhere", date, strings.Join(files, ", "))
		}
	}
	all := 0
	for _, files := range dates {
		all += len(files)
	}
	if all < 4 {
		t.Errorf("only %d dates were found, in %v: is the pattern still right?", all, dates)
	}
}
