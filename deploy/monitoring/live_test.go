package monitoring

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/deploy/internal/client"
	"github.com/loongclaw/loongclaw/deploy/internal/fakeprovider"
	"github.com/loongclaw/loongclaw/deploy/internal/testenv"
)

const token = "a-token-of-alice"

var bin testenv.Binaries

func TestMain(m *testing.M) { os.Exit(runAll(m)) }

func runAll(m *testing.M) int {
	dir, err := os.MkdirTemp("", "loongclaw-monitoring-")
	if err == nil {
		defer func() { _ = os.RemoveAll(dir) }()
		bin, err = testenv.Build(context.Background(), dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// deployment starts the real programs and uses them a little.
func deployment(t *testing.T) *testenv.Stack {
	t.Helper()
	model, err := fakeprovider.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(model.Close)
	s, err := testenv.Up(t.Context(), testenv.Options{Bin: bin, Dir: t.TempDir(), Tokens: "alice:" + token, Model: model.URL, Metrics: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Down)
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(s.Logs())
		}
	})
	return s
}

// use makes a turn with a tool call, follows it on a socket, and has a request
// refused and a model fail.
func use(t *testing.T, s *testenv.Stack) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	alice := client.New(s.Base, token, client.Transport())
	say := fakeprovider.Say("metrics",
		fakeprovider.Round{Calls: []fakeprovider.Call{{ID: "c1", Name: "get_current_time", Args: "{}"}}},
		fakeprovider.Round{Chunks: 3})
	socket, err := alice.Dial(ctx, "/ws")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(socket.Cut)
	if err := socket.Send("chat", map[string]any{"message": say.Message(), "sessionId": "mine"}); err != nil {
		t.Fatal(err)
	}
	for {
		e, err := socket.Next()
		if err != nil {
			t.Fatal(err)
		}
		if e.Type == "run_finished" {
			break
		}
	}
	for path, want := range map[string]int{"/api/history/mine": 200, "/api/sessions/nobodys": 404, "/api/no/such/path": 404} {
		if a, err := alice.Do(ctx, http.MethodGet, path, nil); err != nil || a.Status != want {
			t.Errorf("GET %s: %v, %v; want %d", path, a, err, want)
		}
	}
	if a, err := client.New(s.Base, "a-token-of-nobody", client.Transport()).Do(ctx, http.MethodGet, "/api/stats", nil); err != nil || a.Status != 401 {
		t.Errorf("got %v, %v; want 401", a, err)
	}
	fails := fakeprovider.Say("fails", fakeprovider.Round{Status: 401})
	if a, err := alice.Do(ctx, http.MethodPost, "/api/chat", map[string]any{"message": fails.Message()}); err != nil || a.Status != 502 {
		t.Errorf("got %v, %v; want 502", a, err)
	}
}

func scrape(t *testing.T, addr string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d, %v", addr, res.StatusCode, err)
	}
	return string(b)
}

var (
	typeLine   = regexp.MustCompile(`(?m)^# TYPE (\w+) (\w+)$`)
	sampleName = regexp.MustCompile(`(?m)^([a-z_]+)(?:\{([^}]*)\})? `)
	metricName = regexp.MustCompile(`\b(?:loongclaw|process|go)_[a-z_]+\b`)
	labelName  = regexp.MustCompile(`(\w+)="`)
	recorded   = regexp.MustCompile(`\bloongclaw:[a-z0-9_:]+`)
	record     = regexp.MustCompile(`(?m)^\s+- record: (\S+)$`)
)

// TestEveryMetricIsThere: what rules and dashboard name, the programs have, after
// ordinary use; what the programs have, the page of operations explains.
func TestEveryMetricIsThere(t *testing.T) {
	s := deployment(t)
	use(t, s)
	pages := scrape(t, s.Metrics[0]) + scrape(t, s.Metrics[1])
	samples, labels := map[string]bool{}, map[string]map[string]bool{}
	for _, m := range sampleName.FindAllStringSubmatch(pages, -1) {
		samples[m[1]] = true
		for _, l := range labelName.FindAllStringSubmatch(m[2], -1) {
			name := family(m[1], pages)
			if labels[name] == nil {
				labels[name] = map[string]bool{}
			}
			labels[name][l[1]] = true
		}
	}
	asked := queries(t)
	for _, name := range glob(t, "*.rules.yaml") {
		asked = append(asked, read(t, name))
	}
	records := map[string]bool{}
	for _, m := range record.FindAllStringSubmatch(strings.Join(asked, "\n"), -1) {
		records[m[1]] = true
	}
	for _, q := range asked {
		for _, name := range metricName.FindAllString(q, -1) {
			if !samples[name] && !strings.HasPrefix(name, "go_to_") {
				t.Errorf("no program has %s, which is asked for in\n%.200s", name, q)
			}
		}
		for _, name := range recorded.FindAllString(q, -1) {
			if !records[name] {
				t.Errorf("no rule records %s, which is asked for in\n%.200s", name, q)
			}
		}
	}
	documented(t, pages, labels)
	strangers(t, pages)
}

// family is the metric that a sample belongs to: a histogram has several.
func family(sample, pages string) string {
	for _, suffix := range []string{"_bucket", "_sum", "_count"} {
		if base, ok := strings.CutSuffix(sample, suffix); ok && strings.Contains(pages, "# TYPE "+base+" histogram") {
			return base
		}
	}
	return sample
}

var row = regexp.MustCompile("(?m)^\\| `(loongclaw_\\w+)` \\| (\\w+) \\| ([^|]*) \\|")

// documented: name, type and labels of every metric stand in docs/OPERATIONS.md.
func documented(t *testing.T, pages string, labels map[string]map[string]bool) {
	t.Helper()
	have := map[string]string{}
	for _, m := range typeLine.FindAllStringSubmatch(pages, -1) {
		if !strings.HasPrefix(m[1], "loongclaw_") {
			continue
		}
		delete(labels[m[1]], "le")
		names := slices.Sorted(maps.Keys(labels[m[1]]))
		have[m[1]] = m[2] + " " + strings.Join(names, ", ")
	}
	if len(have) < 20 {
		t.Fatalf("found %d metrics, so this test has lost its source", len(have))
	}
	for _, page := range []string{"../../docs/OPERATIONS.md", "../../docs/zh-CN/OPERATIONS.md"} {
		found := map[string]string{}
		for _, m := range row.FindAllStringSubmatch(read(t, page), -1) {
			names := strings.Split(strings.ReplaceAll(strings.ReplaceAll(strings.TrimSpace(m[3]), "`", ""), "–", ""), ", ")
			slices.Sort(names)
			found[m[1]] = m[2] + " " + strings.Join(names, ", ")
		}
		for name, what := range have {
			if found[name] != what {
				t.Errorf("%s has %q for %s, want %q", page, found[name], name, what)
			}
		}
		for name := range found {
			if _, ok := have[name]; !ok {
				t.Errorf("%s has %s, which no program has", page, name)
			}
		}
	}
}

// strangers: nothing that a client, a user or a model made up is a label.
func strangers(t *testing.T, pages string) {
	t.Helper()
	for _, word := range []string{"alice", "mine", "nobodys", "no/such", "metrics 第", token} {
		if strings.Contains(pages, word) {
			t.Errorf("the metrics hold %q", word)
		}
	}
}

// Nothing listens that nobody asked for.
func TestWithoutAnAddressThereAreNoMetrics(t *testing.T) {
	s, err := testenv.Up(t.Context(), testenv.Options{Bin: bin, Dir: t.TempDir(), Tokens: "alice:" + token})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Down()
	for _, base := range []string{s.Base, s.AgentURL()} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/metrics", nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != http.StatusNotFound {
			t.Errorf("GET %s: %d, want 404", fmt.Sprint(base, "/metrics"), res.StatusCode)
		}
	}
}
