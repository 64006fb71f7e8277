package meter

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/pkg/fault"
	"github.com/loongclaw/loongclaw/telemetry/metrics"
)

// modelMetrics are about the models' providers.
type modelMetrics struct {
	questions         *prometheus.CounterVec
	tokens            *prometheus.CounterVec
	firstToken, whole *prometheus.HistogramVec
}

func newModels(r *metrics.Registry) *modelMetrics {
	return &modelMetrics{
		questions:  r.Counter("loongclaw_agent_model_requests_total", "Questions to a model, by ok or the code of what went wrong. What was tried again counts once.", "provider", "model", "result"),
		tokens:     r.Counter("loongclaw_agent_tokens_total", "Tokens that a provider counted.", "provider", "model", "direction"),
		firstToken: r.Histogram("loongclaw_agent_first_token_seconds", "Time from a question to the first text of its answer, or to its end where it has none.", long, "provider", "model"),
		whole:      r.Histogram("loongclaw_agent_model_request_duration_seconds", "Time from a question to the end of its answer.", long, "provider", "model"),
	}
}

// Model measures one model of one provider: the names are the configuration's.
func (m *Meter) Model(provider, name string, next loop.Model) loop.Model {
	questions := m.models.questions.MustCurryWith(prometheus.Labels{"provider": provider, "model": name})
	a := &answers{
		next:       next,
		results:    metrics.NewChildren(func(result string) prometheus.Counter { return questions.WithLabelValues(result) }),
		in:         m.models.tokens.WithLabelValues(provider, name, "in"),
		out:        m.models.tokens.WithLabelValues(provider, name, "out"),
		firstToken: m.models.firstToken.WithLabelValues(provider, name),
		whole:      m.models.whole.WithLabelValues(provider, name),
	}
	for _, result := range []fault.Code{"ok", fault.CodeProviderFailed, fault.CodeProviderBusy, fault.CodeProviderTime} {
		a.results.Of(string(result))
	}
	return a
}

type answers struct {
	next              loop.Model
	results           *metrics.Children[string, prometheus.Counter]
	in, out           prometheus.Counter
	firstToken, whole prometheus.Observer
}

// Answer asks the model.
func (a *answers) Answer(ctx context.Context, q loop.Question, onText func(string)) (loop.Answer, error) {
	started, began := time.Now(), false
	first := func() {
		if !began {
			began = true
			a.firstToken.Observe(time.Since(started).Seconds())
		}
	}
	answer, err := a.next.Answer(ctx, q, func(text string) {
		first()
		onText(text)
	})
	a.whole.Observe(time.Since(started).Seconds())
	switch {
	case err == nil:
		first()
		a.results.Of("ok").Inc()
	case ctx.Err() != nil:
		a.results.Of(string(fault.CodeCancelled)).Inc()
	default:
		a.results.Of(string(fault.CodeOf(err))).Inc()
	}
	if u := answer.Usage; u != nil {
		a.in.Add(float64(u.PromptTokens))
		a.out.Add(float64(u.CompletionTokens))
	}
	return answer, err
}

var _ loop.Model = (*answers)(nil)
