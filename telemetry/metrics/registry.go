package metrics

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Buckets of latencies, in seconds. 0.2 is the budget of docs/architecture.md, so it is a
// border: what an alert asks must not be guessed between two.
func Buckets() []float64 {
	return []float64{.001, .0025, .005, .01, .025, .05, .1, .2, .5, 1, 2.5, 10, 30}
}

// Registry holds the metrics of one program.
type Registry struct{ registry *prometheus.Registry }

// New returns the registry of a program, with what every program shows.
func New(program, version string) *Registry {
	r := &Registry{prometheus.NewRegistry()}
	r.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	info := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "loongclaw_build_info", Help: "Always 1; its labels say which program and version this is."}, []string{"program", "version"})
	r.registry.MustRegister(info)
	info.WithLabelValues(program, version).Set(1)
	return r
}

// Counter registers a counter.
func (r *Registry) Counter(name, help string, labels ...string) *prometheus.CounterVec {
	v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	r.registry.MustRegister(v)
	return v
}

// Histogram registers a histogram.
func (r *Registry) Histogram(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	v := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
	r.registry.MustRegister(v)
	return v
}

// Read registers a number that is read at each scrape: a state, and no event.
func (r *Registry) Read(name, help string, read func() int) {
	r.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return float64(read()) }))
}

// ReadFlag registers a state that holds or does not, as 1 and 0.
func (r *Registry) ReadFlag(name, help string, holds func() bool) {
	r.Read(name, help, func() int {
		if holds() {
			return 1
		}
		return 0
	})
}

// Handler answers /metrics.
func (r *Registry) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(r.registry, promhttp.HandlerOpts{}))
	return mux
}
