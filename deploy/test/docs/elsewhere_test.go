package docs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// setting finds where a file for a platform sets a variable.
var setting = regexp.MustCompile(`(?m)^\s*#?"?([A-Z][A-Z0-9_]+)"?\s*=`)

// theirs are variables of the platforms themselves.
var theirs = map[string]bool{"PROGRAM": true}

// What the files for servers and platforms set is what the programs read.
func TestFilesForPlatformsSetKnownVariables(t *testing.T) {
	known := knownVariables(t)
	found := 0
	for _, pattern := range []string{"deploy/platform/systemd/*.env", "deploy/platform/fly/*.toml", "deploy/platform/railway/*.env"} {
		names, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: nothing there (%v)", pattern, err)
		}
		for _, name := range names {
			for _, m := range setting.FindAllStringSubmatch(source(t, strings.TrimPrefix(name, root+"/")), -1) {
				found++
				if _, ok := known[m[1]]; !ok && !theirs[m[1]] {
					t.Errorf("%s sets %s, which neither program reads", name, m[1])
				}
			}
		}
	}
	if found < 15 {
		t.Errorf("found %d variables, so this test has lost its source", found)
	}
}

var dockerfile = regexp.MustCompile(`(?i)dockerfile(?:Path)? = "([^"]+)"`)

// Fly looks for a Dockerfile beside the file that names it, Railway from the repository's
// root.
func TestPlatformsNameADockerfileThatIsThere(t *testing.T) {
	for pattern, from := range map[string]string{"deploy/platform/fly/*.toml": "deploy/platform/fly", "deploy/platform/railway/*.toml": ""} {
		names, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil || len(names) != 2 {
			t.Fatalf("%s: %v, %v", pattern, names, err)
		}
		for _, name := range names {
			m := dockerfile.FindStringSubmatch(source(t, strings.TrimPrefix(name, root+"/")))
			if m == nil {
				t.Errorf("%s names no Dockerfile", name)
				continue
			}
			if _, err := os.Stat(filepath.Join(root, from, m[1])); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

var exposure = regexp.MustCompile(`exposure level for \S+: ([\d.]+)`)

// The units are what systemd takes, and as tight as the page says.
func TestUnitsForSystemd(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("SKIPPED: no systemd-analyze here to judge the units. Next: apt-get install systemd")
	}
	page := source(t, "docs/DEPLOY-VPS.md")
	for _, name := range []string{"agent", "gateway"} {
		unit := source(t, "deploy/platform/systemd/loongclaw-"+name+".service")
		// verify looks whether the program and its variables are there.
		for from, to := range map[string]string{"/usr/local/bin/loongclaw-" + name: "/bin/true", "/etc/loongclaw/" + name + ".env": "/dev/null"} {
			if !strings.Contains(unit, from) {
				t.Errorf("the unit of the %s does not name %s, as the page does", name, from)
			}
			unit = strings.ReplaceAll(unit, from, to)
		}
		path := filepath.Join(t.TempDir(), "loongclaw-"+name+".service")
		if err := os.WriteFile(path, []byte(unit), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.CommandContext(t.Context(), "systemd-analyze", "verify", path).CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("systemd-analyze verify: %v\n%s", err, out)
		}
		out, err := exec.CommandContext(t.Context(), "systemd-analyze", "security", "--offline=yes", path).CombinedOutput()
		m := exposure.FindSubmatch(out)
		if m == nil {
			t.Logf("SKIPPED: this systemd-analyze judges no file (%v): %.200s", err, out)
			continue
		}
		if level, err := strconv.ParseFloat(string(m[1]), 64); err != nil || level > 2 {
			t.Errorf("the %s's unit is exposed to %s of 10, want at most 2", name, m[1])
		}
		if !strings.Contains(page, string(m[1])) {
			t.Logf("the page names another level than %s: it differs between versions of systemd", m[1])
		}
	}
}
