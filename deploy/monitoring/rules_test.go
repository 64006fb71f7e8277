package monitoring

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// read returns a file of this folder.
func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name) //nolint:gosec // a name from this package
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil || len(names) == 0 {
		t.Fatalf("%s: %v, %v", pattern, names, err)
	}
	return names
}

func promtool(t *testing.T, args ...string) {
	t.Helper()
	// Not built from its sources, as other programs of the tests are: it brings the
	// SDKs of every cloud along.
	tool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("SKIPPED: Prometheus's own judgement of its rules, since there is no promtool\nNext: apt-get install prometheus")
	}
	if out, err := exec.CommandContext(t.Context(), tool, args...).CombinedOutput(); err != nil { // #nosec G204 -- what rig built
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func TestPrometheusTakesTheConfiguration(t *testing.T) {
	promtool(t, "check", "config", "--lint=all", "--lint-fatal", "prometheus.yaml")
}

func TestEveryCase(t *testing.T) {
	for _, name := range glob(t, "*.cases.yaml") {
		t.Run(name, func(t *testing.T) { promtool(t, "test", "rules", name) })
	}
}

var alertName = regexp.MustCompile(`(?m)^\s+- alert: (\w+)$`)

func alerts(t *testing.T) []string {
	t.Helper()
	var names []string
	for _, m := range alertName.FindAllStringSubmatch(read(t, "alerts.rules.yaml"), -1) {
		names = append(names, m[1])
	}
	if len(names) < 10 {
		t.Fatalf("found %v, so this test has lost its source", names)
	}
	return names
}

// An alert that never came in a test may never come; one that always comes says
// nothing.
func TestEveryAlertComesInOneCaseAndNotInAnother(t *testing.T) {
	all := ""
	for _, name := range glob(t, "*.cases.yaml") {
		all += read(t, name)
	}
	for _, name := range alerts(t) {
		if !regexp.MustCompile(`alertname: ` + name + `\n\s+exp_alerts:\n\s+- exp_labels:`).MatchString(all) {
			t.Errorf("%s comes in no case", name)
		}
		if !strings.Contains(all, "alertname: "+name+"\n        exp_alerts: []") {
			t.Errorf("%s has no case in which it does not come", name)
		}
	}
}

// Who is called at night must be told what to do.
func TestEveryAlertHasAChapter(t *testing.T) {
	rules := read(t, "alerts.rules.yaml")
	for _, page := range []string{"docs/OPERATIONS.md", "docs/zh-CN/OPERATIONS.md"} {
		text := read(t, filepath.Join("..", "..", page))
		for _, name := range alerts(t) {
			if !strings.Contains(text, "\n### "+name+"\n") {
				t.Errorf("%s has no chapter %s", page, name)
			}
			if page == "docs/OPERATIONS.md" && !strings.Contains(rules, "runbook: "+page+"#"+strings.ToLower(name)+"\n") {
				t.Errorf("%s has no runbook line to its chapter", name)
			}
		}
	}
}

// dashboard is what these tests read of dashboard.json.
type dashboard struct {
	Panels []struct {
		Type, Title string
		GridPos     struct{ X, Y, W, H int }
		Targets     []struct{ Expr string }
	}
}

// queries are the dashboard's, as Grafana sends them.
func queries(t *testing.T) []string {
	t.Helper()
	var d dashboard
	if err := json.Unmarshal([]byte(read(t, "dashboard.json")), &d); err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, p := range d.Panels {
		if p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("the panel %q asks nothing", p.Title)
		}
		if p.GridPos.X+p.GridPos.W > 24 {
			t.Errorf("the panel %q stands outside", p.Title)
		}
		for _, q := range p.Targets {
			all = append(all, strings.ReplaceAll(q.Expr, "$__rate_interval", "1m"))
		}
	}
	if len(all) < 20 {
		t.Fatalf("found %d queries, so this test has lost its source", len(all))
	}
	return all
}

func TestTheDashboardAsksWhatPrometheusUnderstands(t *testing.T) {
	rules := "groups:\n  - name: dashboard\n    rules:\n"
	for i, q := range queries(t) {
		rules += fmt.Sprintf("      - record: query:%d\n        expr: %q\n", i, q)
	}
	name := filepath.Join(t.TempDir(), "dashboard.rules.yaml")
	if err := os.WriteFile(name, []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	promtool(t, "check", "rules", "--lint=none", name)
}
