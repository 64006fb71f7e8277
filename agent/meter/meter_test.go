package meter

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/agent/bucket/buckettest"
	"github.com/loongclaw/loongclaw/agent/bucket/disk"
	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// scrape is what Prometheus sees.
func scrape(t *testing.T, m *Meter) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("GET /metrics: %d", w.Code)
	}
	return w.Body.String()
}

func want(t *testing.T, page string, lines ...string) {
	t.Helper()
	for _, l := range lines {
		if !strings.Contains(page, l+"\n") {
			t.Errorf("the page lacks %q", l)
		}
	}
}

func TestWhatIsToldIsCounted(t *testing.T) {
	m := New("1.2.3")
	m.Watch(func() int { return 3 }, func() int { return 5 }, func() bool { return false })
	m.Answered("/api/history/:session", "GET", "plain", 200, 30*time.Millisecond)
	m.Answered("", "BREW", "plain", 404, time.Millisecond)
	m.Ended("done", 3*time.Second)
	m.Ended("cancelled", 0)
	m.Called("exec_shell", "denied")
	m.Ran("exec_shell", time.Second)
	want(t, scrape(t, m),
		`loongclaw_build_info{program="agent",version="1.2.3"} 1`,
		`loongclaw_agent_requests_total{code="200",method="GET",route="/api/history/:session"} 1`,
		`loongclaw_agent_requests_total{code="404",method="other",route="none"} 1`,
		`loongclaw_agent_request_duration_seconds_bucket{kind="plain",method="GET",route="/api/history/:session",le="0.05"} 1`,
		`loongclaw_agent_runs_total{status="done"} 1`,
		`loongclaw_agent_runs_total{status="cancelled"} 1`,
		`loongclaw_agent_runs_total{status="failed"} 0`,
		`loongclaw_agent_run_duration_seconds_bucket{status="done",le="5"} 1`,
		`loongclaw_agent_tool_calls_total{status="denied",tool="exec_shell"} 1`,
		`loongclaw_agent_tool_duration_seconds_count{tool="exec_shell"} 1`,
		`loongclaw_agent_sessions_active 3`,
		`loongclaw_agent_messages_waiting 5`,
		`loongclaw_agent_draining 0`,
	)
	if strings.Contains(scrape(t, m), `loongclaw_agent_run_duration_seconds_count{status="cancelled"}`) {
		t.Error("a run that never ran here has a duration")
	}
}

// A measured store is a store like any other.
func TestAMeasuredStoreIsAStore(t *testing.T) {
	m := New("v")
	d, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = d.Close() }()
	buckettest.Run(t, m.Bucket(d))
}

func TestTheStoresAnswersAreCounted(t *testing.T) {
	m := New("v")
	d, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = d.Close() }()
	b := m.Bucket(d)
	ctx := t.Context()
	const key = "u/a/log/000000000001"
	_, _ = b.Create(ctx, key, []byte("1"))
	_, _ = b.Create(ctx, key, []byte("2"))
	_, _ = b.Create(ctx, "u/a/open/x", []byte("1"))
	_, _ = b.Create(ctx, "u/a/open/x", []byte("2"))
	_, _ = b.Get(ctx, "u/a/nothing")
	_, _ = b.Replace(ctx, key, []byte("3"), "another")
	_, _ = b.Get(ctx, "../nothing that is a key")
	gone, leave := context.WithCancel(ctx)
	leave()
	_, _, _ = b.List(gone, "u/", "", 0)
	page := scrape(t, m)
	want(t, page,
		`loongclaw_agent_store_operations_total{operation="create",result="ok"} 2`,
		`loongclaw_agent_store_operations_total{operation="create",result="exists"} 2`,
		`loongclaw_agent_store_operations_total{operation="get",result="not_found"} 1`,
		`loongclaw_agent_store_operations_total{operation="get",result="error"} 1`,
		`loongclaw_agent_store_operations_total{operation="replace",result="changed"} 1`,
		`loongclaw_agent_store_operation_duration_seconds_count{operation="create"} 4`,
		`loongclaw_agent_journal_conflicts_total 1`,
	)
}

// model answers as it is told.
type model func(onText func(string)) (loop.Answer, error)

func (m model) Answer(_ context.Context, _ loop.Question, onText func(string)) (loop.Answer, error) {
	return m(onText)
}

func TestModels(t *testing.T) {
	m := New("v")
	usage := &chat.Usage{PromptTokens: 100, CompletionTokens: 20}
	ask := func(ctx context.Context, next model) string {
		heard := ""
		_, _ = m.Model("glm", "glm-4-flash", next).Answer(ctx, loop.Question{}, func(s string) { heard += s })
		return heard
	}
	heard := ask(t.Context(), func(onText func(string)) (loop.Answer, error) {
		onText("a")
		onText("b")
		return loop.Answer{Text: "ab", Usage: usage}, nil
	})
	if heard != "ab" {
		t.Errorf("heard %q, want ab", heard)
	}
	ask(t.Context(), func(func(string)) (loop.Answer, error) { return loop.Answer{Usage: usage}, nil }) // calls tools only
	ask(t.Context(), func(func(string)) (loop.Answer, error) {
		return loop.Answer{}, fault.New(fault.CodeProviderBusy, "m", "h")
	})
	gone, leave := context.WithCancel(t.Context())
	leave()
	ask(gone, func(func(string)) (loop.Answer, error) { return loop.Answer{}, context.Canceled })
	const who = `model="glm-4-flash",provider="glm"`
	want(t, scrape(t, m),
		`loongclaw_agent_model_requests_total{`+who+`,result="ok"} 2`,
		`loongclaw_agent_model_requests_total{`+who+`,result="provider_busy"} 1`,
		`loongclaw_agent_model_requests_total{`+who+`,result="provider_failed"} 0`,
		`loongclaw_agent_model_requests_total{`+who+`,result="cancelled"} 1`,
		`loongclaw_agent_tokens_total{direction="in",`+who+`} 200`,
		`loongclaw_agent_tokens_total{direction="out",`+who+`} 40`,
		`loongclaw_agent_first_token_seconds_count{`+who+`} 2`,
		`loongclaw_agent_model_request_duration_seconds_count{`+who+`} 4`,
	)
}

func TestDamageInTheLogIsCounted(t *testing.T) {
	m := New("v")
	var out strings.Builder
	log := slog.New(m.Log(slog.NewTextHandler(&out, nil)))
	damage := fault.New(fault.CodeDamaged, "the stored object u/a/log/1 is damaged", "h")
	log.Error("request failed", "requestId", "r", "error", fmt.Errorf("a: %w", damage))
	log.With("user", "a").WithGroup("g").Error("session not recovered", "error", damage)
	log.Error("request failed", "error", errors.New("else"))
	log.Warn("snapshot", "error", damage) // a cache
	log.Debug("not shown", "error", damage)
	want(t, scrape(t, m),
		`loongclaw_agent_journal_damage_total 2`,
		`loongclaw_agent_log_records_total{level="ERROR"} 3`,
		`loongclaw_agent_log_records_total{level="WARN"} 1`,
	)
	if n := strings.Count(out.String(), "\n"); n != 4 || !strings.Contains(out.String(), "g.error=") {
		t.Errorf("%d lines, want 4 as they were:\n%s", n, out.String())
	}
}
