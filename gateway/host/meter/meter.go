package meter

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/loongclaw/loongclaw/pkg/fault"
)

// buckets of latencies, in seconds. 0.2 is the budget of docs/architecture.md, so
// it is a border: what an alert asks must not be guessed between two.
var buckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .2, .5, 1, 2.5, 10, 30}

// Meter counts. It is told by the host (native.Observer).
type Meter struct {
	registry *prometheus.Registry
	requests *children[request, prometheus.Counter]
	took     *children[request, prometheus.Observer] // without the status
	refused  *children[string, prometheus.Counter]
	called   *children[call, prometheus.Counter]
	agents   *agents
}

type request struct {
	route, method, kind string
	status              int
}

type call struct{ then, result string }

// New makes a meter.
func New(version string) *Meter {
	m := &Meter{registry: prometheus.NewRegistry()}
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	info := m.gauge("loongclaw_build_info", "Always 1; its labels say which program and version this is.", "program", "version")
	info.WithLabelValues("gateway", version).Set(1)

	requests := m.counter("loongclaw_gateway_requests_total", "Requests that were answered.", "route", "method", "code")
	m.requests = newChildren(func(k request) prometheus.Counter {
		return requests.WithLabelValues(k.route, k.method, strconv.Itoa(k.status))
	})
	took := m.histogram("loongclaw_gateway_request_duration_seconds", "Time from a request's head to the end of its answer.", "route", "method", "kind")
	m.took = newChildren(func(k request) prometheus.Observer { return took.WithLabelValues(k.route, k.method, k.kind) })
	refused := m.counter("loongclaw_gateway_limit_refusals_total", "Requests and frames that a rate limit refused.", "class")
	m.refused = newChildren(func(class string) prometheus.Counter { return refused.WithLabelValues(class) })
	for _, class := range []string{"api", "auth", "chat"} {
		m.refused.of(class) // an alert on its growth needs a 0 to grow from
	}
	called := m.counter("loongclaw_gateway_socket_calls_total", "Calls to the agent that frames of WebSockets were.", "call", "result")
	m.called = newChildren(func(k call) prometheus.Counter { return called.WithLabelValues(k.then, k.result) })
	m.called.of(call{"follow", "ok"})
	m.agents = newAgents(m)
	return m
}

func (m *Meter) counter(name, help string, labels ...string) *prometheus.CounterVec {
	v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	m.registry.MustRegister(v)
	return v
}

func (m *Meter) gauge(name, help string, labels ...string) *prometheus.GaugeVec {
	v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
	m.registry.MustRegister(v)
	return v
}

func (m *Meter) histogram(name, help string, labels ...string) *prometheus.HistogramVec {
	v := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
	m.registry.MustRegister(v)
	return v
}

// Watch reads at each scrape what is a state and no event.
func (m *Meter) Watch(sockets func() int, draining func() bool) {
	read := func(name, help string, f func() float64) {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, f))
	}
	read("loongclaw_gateway_sockets", "WebSockets that are open.", func() float64 { return float64(sockets()) })
	read("loongclaw_gateway_draining", "1 from when this process was told to stop.", func() float64 {
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

// Answered counts a request.
func (m *Meter) Answered(route, method, kind string, status int, took time.Duration) {
	if route == "" {
		route = unrouted
	}
	k := request{route: route, method: known(method), kind: kind}
	m.took.of(k).Observe(took.Seconds())
	k.kind, k.status = "", code(status)
	m.requests.of(k).Inc()
}

// Refused counts a refusal of the limiter's.
func (m *Meter) Refused(class string) { m.refused.of(class).Inc() }

// Called counts a call of a socket's.
func (m *Meter) Called(then string, err error) {
	result := "ok"
	if err != nil {
		result = string(fault.CodeOf(err))
	}
	m.called.of(call{then, result}).Inc()
}

var methods = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions}

// known is a method, when it is one of ours: a client may send any word.
func known(method string) string {
	if slices.Contains(methods, method) {
		return method
	}
	return "other"
}

// code is a status, or 0 for what is none of HTTP's.
func code(status int) int {
	if status < 100 || status > 599 {
		return 0
	}
	return status
}
