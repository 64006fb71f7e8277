package meter

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

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
	m.Watch(func() int { return 7 }, func() bool { return true })
	m.Answered("/api/history/:session", "GET", "plain", 200, 30*time.Millisecond)
	m.Answered("/api/history/:session", "GET", "plain", 200, 250*time.Millisecond)
	m.Answered("/api/chat", "POST", "stream", 502, time.Second)
	m.Refused("chat")
	m.Called("follow", nil)
	m.Called("history", fault.New(fault.CodeUnavailable, "m", "h"))
	page := scrape(t, m)
	want(t, page,
		`loongclaw_build_info{program="gateway",version="1.2.3"} 1`,
		`loongclaw_gateway_requests_total{code="200",method="GET",route="/api/history/:session"} 2`,
		`loongclaw_gateway_requests_total{code="502",method="POST",route="/api/chat"} 1`,
		`loongclaw_gateway_request_duration_seconds_bucket{kind="plain",method="GET",route="/api/history/:session",le="0.2"} 1`,
		`loongclaw_gateway_request_duration_seconds_count{kind="stream",method="POST",route="/api/chat"} 1`,
		`loongclaw_gateway_limit_refusals_total{class="chat"} 1`,
		`loongclaw_gateway_limit_refusals_total{class="auth"} 0`,
		`loongclaw_gateway_socket_calls_total{call="follow",result="ok"} 1`,
		`loongclaw_gateway_socket_calls_total{call="history",result="unavailable"} 1`,
		`loongclaw_gateway_sockets 7`,
		`loongclaw_gateway_draining 1`,
	)
}

// Whatever strangers send, the series stay few.
func TestStrangersMakeNoSeries(t *testing.T) {
	m := New("v")
	for i := range 200 {
		m.Answered("", "BREW"+strconv.Itoa(i), "plain", 1000+i, time.Millisecond)
	}
	page := scrape(t, m)
	want(t, page, `loongclaw_gateway_requests_total{code="0",method="other",route="none"} 200`)
	if n := strings.Count(page, "loongclaw_gateway_requests_total{"); n != 1 {
		t.Errorf("%d series, want 1", n)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestTheWayToTheAgents(t *testing.T) {
	m := New("v")
	path := "/api/stats"
	ask := func(ctx context.Context, status int, err error) {
		way := m.Agents(roundTrip(func(*http.Request) (*http.Response, error) {
			if err != nil {
				return nil, err
			}
			return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(""))}, nil
		}))
		r, rerr := http.NewRequestWithContext(ctx, http.MethodGet, "http://10.1.2.3:8788"+path, nil)
		if rerr != nil {
			t.Fatal(rerr)
		}
		if resp, err := way.RoundTrip(r); err == nil {
			_ = resp.Body.Close()
		}
	}
	gone, leave := context.WithCancel(t.Context())
	leave()
	ask(t.Context(), 204, nil)
	path = "/api/chat"
	ask(t.Context(), 200, nil)
	path = "/api/stats"
	ask(t.Context(), 503, nil)
	ask(t.Context(), 0, errors.New("refused"))
	ask(gone, 0, context.Canceled)
	want(t, scrape(t, m),
		`loongclaw_gateway_agent_requests_total{agent="10.1.2.3:8788",result="2xx"} 2`,
		`loongclaw_gateway_agent_requests_total{agent="10.1.2.3:8788",result="5xx"} 1`,
		`loongclaw_gateway_agent_requests_total{agent="10.1.2.3:8788",result="error"} 1`,
		`loongclaw_gateway_agent_requests_total{agent="10.1.2.3:8788",result="cancelled"} 1`,
		`loongclaw_gateway_agent_response_seconds_count{agent="10.1.2.3:8788",kind="plain"} 2`,
		`loongclaw_gateway_agent_response_seconds_count{agent="10.1.2.3:8788",kind="model"} 1`,
	)
}

func BenchmarkAnswered(b *testing.B) {
	m := New("v")
	b.ReportAllocs()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			m.Answered("/api/history/:session", "GET", "plain", 200, time.Millisecond)
		}
	})
}
