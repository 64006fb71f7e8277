package trace

import (
	"context"
	"log/slog"
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	oteltrace "go.opentelemetry.io/otel/trace"

	"github.com/loongclaw/loongclaw/agent/egress"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
	"github.com/loongclaw/loongclaw/telemetry/traces"
)

// Tracer makes spans. It is a runs.Tracer.
type Tracer struct{ *traces.Tracer }

// New returns a tracer that exports to the collector of the environment.
func New(ctx context.Context, version string, log *slog.Logger) (*Tracer, error) {
	t, err := traces.New(ctx, service(version), log)
	return &Tracer{t}, err
}

// service says who makes the spans. Besides a gateway, what keeps this process asks it
// what runs and hands it tokens (agent/egress).
func service(version string) traces.Service {
	return traces.Service{Name: "agent", Version: version, Silent: []string{chat.PathHealth, chat.PathReady, "/active", egress.Path}}
}

// Provider tells a provider which trace it answers.
func (t *Tracer) Provider(next http.RoundTripper) http.RoundTripper { return &outbound{t, next} }

type outbound struct {
	*Tracer
	next http.RoundTripper
}

// RoundTrip sends a request.
func (o *outbound) RoundTrip(r *http.Request) (*http.Response, error) {
	return o.next.RoundTrip(o.Outgoing(r.Context(), r))
}

// Here names the span of ctx, for Run: a run starts after its request has ended,
// and may start in another process.
func (t *Tracer) Here(ctx context.Context) string {
	carrier := propagation.MapCarrier{}
	t.Inject(ctx, carrier)
	return carrier.Get("traceparent")
}

// Run begins the span of a run.
func (t *Tracer) Run(ctx context.Context, from, id, requestID string) (context.Context, func(status string)) {
	ctx = t.Extract(ctx, propagation.MapCarrier{"traceparent": from})
	ctx, span := t.Start(ctx, "run", oteltrace.WithAttributes(
		attribute.String("loongclaw.run_id", id), attribute.String("loongclaw.request_id", requestID)))
	return ctx, func(status string) {
		span.SetAttributes(attribute.String("loongclaw.run_status", status))
		if status == "failed" || status == "interrupted" {
			span.SetStatus(codes.Error, "")
		}
		span.End()
	}
}

// Tool begins the span of a tool.
func (t *Tracer) Tool(ctx context.Context, name string) (context.Context, func(error)) {
	ctx, span := t.Start(ctx, "tool "+name, oteltrace.WithAttributes(attribute.String("gen_ai.tool.name", name)))
	return ctx, func(err error) { end(span, err) }
}

// end ends a span. What the error says may be somebody's own words: only its code is
// told.
func end(span oteltrace.Span, err error) {
	if err != nil {
		span.SetStatus(codes.Error, string(fault.CodeOf(err)))
	}
	span.End()
}
