package metrics

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func scrape(t *testing.T, r *Registry) string {
	t.Helper()
	w := httptest.NewRecorder()
	r.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("GET /metrics: %d", w.Code)
	}
	return w.Body.String()
}

// Whatever strangers send, the series stay few.
func TestStrangersMakeNoSeries(t *testing.T) {
	r := New("gateway", "1.2.3")
	requests := r.Requests("gateway", "Requests")
	for i := range 200 {
		requests.Answered("", "BREW"+strconv.Itoa(i), "plain", 1000+i, time.Millisecond)
	}
	r.Read("loongclaw_gateway_sockets", "WebSockets that are open.", func() int { return 7 })
	r.ReadFlag("loongclaw_gateway_draining", "1 from when this process was told to stop.", func() bool { return true })
	page := scrape(t, r)
	for _, want := range []string{
		`loongclaw_build_info{program="gateway",version="1.2.3"} 1`,
		`loongclaw_gateway_requests_total{code="0",method="other",route="none"} 200`,
		`loongclaw_gateway_request_duration_seconds_bucket{kind="plain",method="other",route="none",le="0.2"} 200`,
		`loongclaw_gateway_sockets 7`,
		`loongclaw_gateway_draining 1`,
	} {
		if !strings.Contains(page, want+"\n") {
			t.Errorf("the page lacks %q", want)
		}
	}
	if n := strings.Count(page, "loongclaw_gateway_requests_total{"); n != 1 {
		t.Errorf("%d series, want 1", n)
	}
}

func TestChildrenAreMadeOnce(t *testing.T) {
	var made atomic.Int64
	c := NewChildren(func(k int) *int { made.Add(1); return &k })
	var all sync.WaitGroup
	for i := range 64 {
		all.Go(func() {
			k := i % 8
			if first, again := c.Of(k), c.Of(k); *first != k || first != again {
				t.Errorf("%d: got another's", k)
			}
		})
	}
	all.Wait()
	if n := made.Load(); n != 8 {
		t.Errorf("%d were made, want 8", n)
	}
}
