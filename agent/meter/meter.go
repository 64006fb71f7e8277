package meter

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// buckets of latencies, in seconds. 0.2 is the budget of docs/architecture.md, so
// it is a border; long is for what a model or a program takes.
var (
	buckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .2, .5, 1, 2.5, 10, 30}
	long    = []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 20, 40, 60, 120, 300, 900}
)

// Meter counts. It is told by httpapi and runs (their Observers), and by what it
// puts around the bucket, the models and the log.
type Meter struct {
	registry *prometheus.Registry
	requests *children[request, prometheus.Counter]
	answered *children[request, prometheus.Observer] // without the status

	runs     *children[string, prometheus.Counter]
	runTook  *children[string, prometheus.Observer]
	calls    *children[[2]string, prometheus.Counter]
	toolTook *children[string, prometheus.Observer]
	panics   prometheus.Counter

	store  *storeMetrics
	models *modelMetrics
	logs   *logMetrics
}

type request struct {
	route, method, kind string
	status              int
}

// New makes a meter.
func New(version string) *Meter {
	m := &Meter{registry: prometheus.NewRegistry()}
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	info := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "loongclaw_build_info", Help: "Always 1; its labels say which program and version this is."}, []string{"program", "version"})
	m.registry.MustRegister(info)
	info.WithLabelValues("agent", version).Set(1)

	requests := m.counter("loongclaw_agent_requests_total", "Requests of the gateway that were answered.", "route", "method", "code")
	m.requests = newChildren(func(k request) prometheus.Counter {
		return requests.WithLabelValues(k.route, k.method, strconv.Itoa(k.status))
	})
	answered := m.histogram("loongclaw_agent_request_duration_seconds", "Time from a request's head to the end of its answer.", buckets, "route", "method", "kind")
	m.answered = newChildren(func(k request) prometheus.Observer { return answered.WithLabelValues(k.route, k.method, k.kind) })

	runs := m.counter("loongclaw_agent_runs_total", "Runs that ended here, or were left to another start.", "status")
	m.runs = newChildren(func(status string) prometheus.Counter { return runs.WithLabelValues(status) })
	took := m.histogram("loongclaw_agent_run_duration_seconds", "Time that a run ran here.", long, "status")
	m.runTook = newChildren(func(status string) prometheus.Observer { return took.WithLabelValues(status) })
	for _, status := range []string{"done", "failed", "cancelled", "interrupted", "parked", "left"} {
		m.runs.of(status) // a growth needs a 0 to grow from
	}
	calls := m.counter("loongclaw_agent_tool_calls_total", "Tool calls that have their result.", "tool", "status")
	m.calls = newChildren(func(k [2]string) prometheus.Counter { return calls.WithLabelValues(k[0], k[1]) })
	tools := m.histogram("loongclaw_agent_tool_duration_seconds", "Time that a tool ran.", buckets, "tool")
	m.toolTook = newChildren(func(tool string) prometheus.Observer { return tools.WithLabelValues(tool) })
	m.panics = m.counter("loongclaw_agent_panics_total", "Runs and background tasks that panicked and were ended.").WithLabelValues()
	m.store, m.models, m.logs = newStore(m), newModels(m), newLogs(m)
	return m
}

func (m *Meter) counter(name, help string, labels ...string) *prometheus.CounterVec {
	v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	m.registry.MustRegister(v)
	return v
}

func (m *Meter) histogram(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	v := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
	m.registry.MustRegister(v)
	return v
}

// Watch reads at each scrape what is a state and no event.
func (m *Meter) Watch(active, waiting func() int, draining func() bool) {
	read := func(name, help string, f func() float64) {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, f))
	}
	read("loongclaw_agent_sessions_active", "Sessions that something runs in.", func() float64 { return float64(active()) })
	read("loongclaw_agent_messages_waiting", "Messages that wait for the run before them.", func() float64 { return float64(waiting()) })
	read("loongclaw_agent_draining", "1 from when this process was told to stop.", func() float64 {
		if draining() {
			return 1
		}
		return 0
	})
}

// Handler answers /metrics.
func (m *Meter) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	return mux
}

// unrouted stands for every path that is no route's.
const unrouted = "none"

// Answered counts a request (httpapi.Observer).
func (m *Meter) Answered(route, method, kind string, status int, took time.Duration) {
	if route == "" {
		route = unrouted
	}
	k := request{route: route, method: known(method), kind: kind}
	m.answered.of(k).Observe(took.Seconds())
	k.kind, k.status = "", status
	m.requests.of(k).Inc()
}

// Ended counts a run (runs.Observer).
func (m *Meter) Ended(status string, took time.Duration) {
	m.runs.of(status).Inc()
	if took > 0 {
		m.runTook.of(status).Observe(took.Seconds())
	}
}

// Called counts a tool call (runs.Observer).
func (m *Meter) Called(tool, status string) { m.calls.of([2]string{tool, status}).Inc() }

// Ran measures a tool (runs.Observer).
func (m *Meter) Ran(tool string, took time.Duration) { m.toolTook.of(tool).Observe(took.Seconds()) }

// Panicked counts a panic that ended a run or a task (runs.Observer).
func (m *Meter) Panicked() { m.panics.Inc() }

var methods = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions}

func known(method string) string {
	if slices.Contains(methods, method) {
		return method
	}
	return "other"
}
