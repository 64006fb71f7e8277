package meter

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/loongclaw/loongclaw/pkg/fault"
	"github.com/loongclaw/loongclaw/telemetry/metrics"
)

// Meter counts. It is told by the host (native.Observer).
type Meter struct {
	*metrics.Requests

	registry *metrics.Registry
	refused  *metrics.Children[string, prometheus.Counter]
	called   *metrics.Children[call, prometheus.Counter]
	agents   *agents
}

type call struct{ then, result string }

// New makes a meter.
func New(version string) *Meter {
	r := metrics.New("gateway", version)
	m := &Meter{registry: r, Requests: r.Requests("gateway", "Requests"), agents: newAgents(r)}
	refused := r.Counter("loongclaw_gateway_limit_refusals_total", "Requests and frames that a rate limit refused.", "class")
	m.refused = metrics.NewChildren(func(class string) prometheus.Counter { return refused.WithLabelValues(class) })
	for _, class := range []string{"api", "auth", "chat"} {
		m.refused.Of(class) // an alert on its growth needs a 0 to grow from
	}
	called := r.Counter("loongclaw_gateway_socket_calls_total", "Calls to the agent that frames of WebSockets were.", "call", "result")
	m.called = metrics.NewChildren(func(k call) prometheus.Counter { return called.WithLabelValues(k.then, k.result) })
	m.called.Of(call{"follow", "ok"})
	return m
}

// Watch reads at each scrape what is a state and no event.
func (m *Meter) Watch(sockets func() int, draining func() bool) {
	m.registry.Read("loongclaw_gateway_sockets", "WebSockets that are open.", sockets)
	m.registry.ReadFlag("loongclaw_gateway_draining", "1 from when this process was told to stop.", draining)
}

// Handler answers /metrics.
func (m *Meter) Handler() http.Handler { return m.registry.Handler() }

// Refused counts a refusal of the limiter's.
func (m *Meter) Refused(class string) { m.refused.Of(class).Inc() }

// Called counts a call of a socket's.
func (m *Meter) Called(then string, err error) {
	result := "ok"
	if err != nil {
		result = string(fault.CodeOf(err))
	}
	m.called.Of(call{then, result}).Inc()
}
