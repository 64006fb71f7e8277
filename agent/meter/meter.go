package meter

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/loongclaw/loongclaw/telemetry/metrics"
)

// long are the buckets of what a model or a program takes, in seconds.
var long = []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 20, 40, 60, 120, 300, 900}

// Meter counts. It is told by httpapi and runs (their Observers), and by what it
// puts around the bucket, the models and the log.
type Meter struct {
	*metrics.Requests

	registry *metrics.Registry
	runs     *metrics.Children[string, prometheus.Counter]
	runTook  *metrics.Children[string, prometheus.Observer]
	calls    *metrics.Children[[2]string, prometheus.Counter]
	toolTook *metrics.Children[string, prometheus.Observer]
	panics   prometheus.Counter

	store  *storeMetrics
	models *modelMetrics
	logs   *logMetrics
}

// New makes a meter.
func New(version string) *Meter {
	r := metrics.New("agent", version)
	m := &Meter{registry: r, Requests: r.Requests("agent", "Requests of the gateway"), store: newStore(r), models: newModels(r), logs: newLogs(r)}
	runs := r.Counter("loongclaw_agent_runs_total", "Runs that ended here, or were left to another start.", "status")
	m.runs = metrics.NewChildren(func(status string) prometheus.Counter { return runs.WithLabelValues(status) })
	took := r.Histogram("loongclaw_agent_run_duration_seconds", "Time that a run ran here.", long, "status")
	m.runTook = metrics.NewChildren(func(status string) prometheus.Observer { return took.WithLabelValues(status) })
	for _, status := range []string{"done", "failed", "cancelled", "interrupted", "parked", "left"} {
		m.runs.Of(status) // a growth needs a 0 to grow from
	}
	calls := r.Counter("loongclaw_agent_tool_calls_total", "Tool calls that have their result.", "tool", "status")
	m.calls = metrics.NewChildren(func(k [2]string) prometheus.Counter { return calls.WithLabelValues(k[0], k[1]) })
	tools := r.Histogram("loongclaw_agent_tool_duration_seconds", "Time that a tool ran.", metrics.Buckets(), "tool")
	m.toolTook = metrics.NewChildren(func(tool string) prometheus.Observer { return tools.WithLabelValues(tool) })
	m.panics = r.Counter("loongclaw_agent_panics_total", "Runs and background tasks that panicked and were ended.").WithLabelValues()
	return m
}

// Watch reads at each scrape what is a state and no event.
func (m *Meter) Watch(active, waiting func() int, draining func() bool) {
	m.registry.Read("loongclaw_agent_sessions_active", "Sessions that something runs in.", active)
	m.registry.Read("loongclaw_agent_messages_waiting", "Messages that wait for the run before them.", waiting)
	m.registry.ReadFlag("loongclaw_agent_draining", "1 from when this process was told to stop.", draining)
}

// Handler answers /metrics.
func (m *Meter) Handler() http.Handler { return m.registry.Handler() }

// Ended counts a run (runs.Observer).
func (m *Meter) Ended(status string, took time.Duration) {
	m.runs.Of(status).Inc()
	if took > 0 {
		m.runTook.Of(status).Observe(took.Seconds())
	}
}

// Called counts a tool call (runs.Observer).
func (m *Meter) Called(tool, status string) { m.calls.Of([2]string{tool, status}).Inc() }

// Ran measures a tool (runs.Observer).
func (m *Meter) Ran(tool string, took time.Duration) { m.toolTook.Of(tool).Observe(took.Seconds()) }

// Panicked counts a panic that ended a run or a task (runs.Observer).
func (m *Meter) Panicked() { m.panics.Inc() }
