package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/loongclaw/loongclaw/deploy/internal/client"
	"github.com/loongclaw/loongclaw/deploy/internal/rollout"
)

// sample is what the gateway had counted of each slot's agent at a moment.
type sample struct {
	at    time.Time
	slots map[rollout.Slot]counted
}

type counted struct {
	all, failed float64
	upTo        map[float64]float64 // answers within so many seconds
}

// sample reads the gateway's metrics and keeps them.
func (h *deployment) sample(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	a, err := client.New("http://"+h.metrics, "", nil).Do(ctx, http.MethodGet, "/metrics", nil)
	if err != nil {
		return fmt.Errorf("the gateway's metrics: %w", err)
	}
	if a.Status != http.StatusOK {
		return fmt.Errorf("the gateway's metrics: %v", a)
	}
	slots, err := count(string(a.Body))
	if err != nil {
		return fmt.Errorf("the gateway's metrics: %w", err)
	}
	h.samples = append(h.samples, sample{time.Now(), slots})
	return nil
}

// count reads the text form of Prometheus.
func count(text string) (map[rollout.Slot]counted, error) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		return nil, err
	}
	all := map[rollout.Slot]counted{}
	for _, m := range families["loongclaw_gateway_agent_requests_total"].GetMetric() {
		slot, c := slotOf(m), m.GetCounter().GetValue()
		now := all[slot]
		switch result := label(m, "result"); result {
		case "cancelled": // its client went away
			continue
		case "5xx", "error":
			now.failed += c
		}
		now.all += c
		all[slot] = now
	}
	for _, m := range families["loongclaw_gateway_agent_response_seconds"].GetMetric() {
		if label(m, "kind") == "model" {
			continue // how long a model takes says nothing of the agent
		}
		now := all[slotOf(m)]
		now.upTo = map[float64]float64{}
		for _, b := range m.GetHistogram().GetBucket() {
			now.upTo[b.GetUpperBound()] = float64(b.GetCumulativeCount())
		}
		all[slotOf(m)] = now
	}
	return all, nil
}

func label(m *dto.Metric, name string) string {
	for _, l := range m.GetLabel() {
		if l.GetName() == name {
			return l.GetValue()
		}
	}
	return ""
}

func slotOf(m *dto.Metric) rollout.Slot {
	host, _, _ := strings.Cut(label(m, "agent"), ":")
	return rollout.Slot(strings.TrimPrefix(host, "agent-"))
}

// Figures tells what the gateway saw of a slot since a moment. The moments that it
// knows are those of this rollout: an earlier one is its beginning.
func (h *deployment) Figures(ctx context.Context, slot rollout.Slot, since time.Time) (rollout.Figures, error) {
	if err := h.sample(ctx); err != nil {
		return rollout.Figures{}, err
	}
	from := h.samples[0]
	for _, s := range h.samples[:len(h.samples)-1] {
		if !s.at.After(since) || s.at.Sub(since) < time.Second {
			from = s
		}
	}
	return between(from.slots[slot], h.samples[len(h.samples)-1].slots[slot]), nil
}

// maxSeconds stands for the histogram's last, endless bucket.
const maxSeconds = 3600

// between is what came from one sample to the next. A gateway that started anew
// counts from nothing.
func between(from, to counted) rollout.Figures {
	if to.all < from.all {
		from = counted{}
	}
	f := rollout.Figures{Requests: int(to.all - from.all), Failures: int(to.failed - from.failed)}
	most, total := 0.0, 0.0
	for edge := range to.upTo {
		most = max(most, edge)
		total = max(total, to.upTo[edge]-from.upTo[edge])
	}
	if total == 0 {
		return f
	}
	p95 := most
	for edge := range to.upTo {
		if to.upTo[edge]-from.upTo[edge] >= 0.95*total {
			p95 = min(p95, edge)
		}
	}
	f.P95 = time.Duration(min(p95, maxSeconds) * float64(time.Second))
	return f
}
