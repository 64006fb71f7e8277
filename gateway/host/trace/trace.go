package trace

import (
	"context"
	"log/slog"
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	oteltrace "go.opentelemetry.io/otel/trace"

	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/telemetry/traces"
)

// Tracer makes spans.
type Tracer struct{ *traces.Tracer }

// New returns a tracer that exports to the collector of the environment.
func New(ctx context.Context, version string, log *slog.Logger) (*Tracer, error) {
	t, err := traces.New(ctx, service(version), log)
	return &Tracer{t}, err
}

func service(version string) traces.Service {
	return traces.Service{Name: "gateway", Version: version, Silent: []string{chat.PathHealth, chat.PathReady}}
}

// Agents makes a span of each request to an agent, and tells the agent.
func (t *Tracer) Agents(next http.RoundTripper) http.RoundTripper { return &agents{t, next} }

type agents struct {
	*Tracer
	next http.RoundTripper
}

// RoundTrip sends a request.
func (a *agents) RoundTrip(r *http.Request) (*http.Response, error) {
	if a.IsSilent(r.URL.Path) {
		return a.next.RoundTrip(r)
	}
	options := []oteltrace.SpanStartOption{oteltrace.WithSpanKind(oteltrace.SpanKindClient)}
	if over := oteltrace.SpanFromContext(r.Context()); over.SpanContext().IsSampled() && !over.IsRecording() {
		// A socket's: the request that opened it has long ended, and what its frames
		// ask are traces of their own.
		options = append(options, oteltrace.WithNewRoot(), oteltrace.WithLinks(oteltrace.Link{SpanContext: over.SpanContext()}))
	}
	ctx, span := a.Start(r.Context(), "agent "+r.Method, options...)
	defer span.End()
	resp, err := a.next.RoundTrip(a.Outgoing(ctx, r))
	span.SetAttributes(attribute.String("server.address", r.URL.Host))
	if err != nil {
		span.SetStatus(codes.Error, "no answer") // the error itself may hold an address with a query
		return resp, err
	}
	traces.SetStatus(span, resp.StatusCode)
	return resp, nil
}
