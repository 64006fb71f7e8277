package meter

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/telemetry/metrics"
)

// agents counts requests to the agents.
type agents struct {
	requests *metrics.Children[exchange, prometheus.Counter]
	took     *metrics.Children[[2]string, prometheus.Observer]
}

type exchange struct{ agent, result string }

func newAgents(r *metrics.Registry) *agents {
	requests := r.Counter("loongclaw_gateway_agent_requests_total", "Requests to an agent, by what its answer began with, or error where none came.", "agent", "result")
	took := r.Histogram("loongclaw_gateway_agent_response_seconds", "Time until the head of an agent's answer.", metrics.Buckets(), "agent", "kind")
	return &agents{
		requests: metrics.NewChildren(func(k exchange) prometheus.Counter { return requests.WithLabelValues(k.agent, k.result) }),
		took:     metrics.NewChildren(func(k [2]string) prometheus.Observer { return took.WithLabelValues(k[0], k[1]) }),
	}
}

// kind is "model" where an answer may wait for the model to say all of its own, which
// tells nothing of the agent.
func kind(path string) string {
	if path == chat.PathChat || path == chat.PathCompletions {
		return "model"
	}
	return "plain"
}

// Agents measures the way to the agents.
func (m *Meter) Agents(next http.RoundTripper) http.RoundTripper { return &way{m.agents, next} }

type way struct {
	*agents
	next http.RoundTripper
}

var classes = [...]string{1: "1xx", 2: "2xx", 3: "3xx", 4: "4xx", 5: "5xx"}

// RoundTrip measures one request. Only agents of the configuration are asked, so
// their addresses are few.
func (w *way) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Path == chat.PathReady { // the host's own looks are no requests
		return w.next.RoundTrip(r)
	}
	started := time.Now()
	resp, err := w.next.RoundTrip(r)
	agent := r.URL.Host
	switch {
	case err == nil:
		w.took.Of([2]string{agent, kind(r.URL.Path)}).Observe(time.Since(started).Seconds())
		result := "error"
		if n := resp.StatusCode / 100; n > 0 && n < len(classes) {
			result = classes[n]
		}
		w.requests.Of(exchange{agent, result}).Inc()
	case errors.Is(context.Cause(r.Context()), context.Canceled):
		w.requests.Of(exchange{agent, "cancelled"}).Inc() // its client went away
	default:
		w.requests.Of(exchange{agent, "error"}).Inc()
	}
	return resp, err
}
