package trace

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	oteltrace "go.opentelemetry.io/otel/trace"

	"github.com/loongclaw/loongclaw/pkg/fault"
)

// Tracer makes spans. It is a runs.Tracer.
type Tracer struct {
	provider *sdk.TracerProvider
	tracer   oteltrace.Tracer
	wire     propagation.TraceContext
}

// New makes a tracer that exports to the collector of the environment. It does not
// connect: a collector that is away costs spans and nothing else.
func New(ctx context.Context, version string, log *slog.Logger) (*Tracer, error) {
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("traces: %w\nNext: correct the OTEL_ variables, or unset OTEL_EXPORTER_OTLP_ENDPOINT", err)
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Warn("traces", slog.Any("err", err)) }))
	return with(ctx, version, sdk.WithBatcher(exporter))
}

func with(ctx context.Context, version string, to sdk.TracerProviderOption) (*Tracer, error) {
	about, err := resource.New(ctx, resource.WithAttributes(
		attribute.String("service.name", "loongclaw-agent"), attribute.String("service.version", version)), resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("traces: %w\nNext: correct OTEL_RESOURCE_ATTRIBUTES", err)
	}
	p := sdk.NewTracerProvider(sdk.WithResource(about), to)
	return &Tracer{provider: p, tracer: p.Tracer("github.com/loongclaw/loongclaw/agent")}, nil
}

// Close exports what is left.
func (t *Tracer) Close(ctx context.Context) error { return t.provider.Shutdown(ctx) }

// lifecycle is asked by whoever keeps this process, all the time.
var lifecycle = map[string]bool{"/health": true, "/ready": true, "/active": true, "/door": true}

// Server makes a span of each request, below the gateway's.
func (t *Tracer) Server(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if lifecycle[r.URL.Path] {
			next.ServeHTTP(w, r)
			return
		}
		ctx := t.wire.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
		ctx, span := t.tracer.Start(ctx, r.Method, oteltrace.WithSpanKind(oteltrace.SpanKindServer))
		defer span.End()
		seen := &statusWriter{ResponseWriter: w}
		r = r.WithContext(ctx)
		next.ServeHTTP(seen, r)
		if r.Pattern != "" {
			span.SetName(r.Method + " " + r.Pattern)
			span.SetAttributes(attribute.String("http.route", r.Pattern))
		}
		span.SetAttributes(attribute.String("http.request.method", r.Method), attribute.Int("http.response.status_code", seen.status),
			attribute.String("loongclaw.request_id", r.Header.Get("X-Request-Id")))
		if seen.status >= http.StatusInternalServerError {
			span.SetStatus(codes.Error, "")
		}
	})
}

// statusWriter notes the status.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader notes and hands on.
func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap is how http.ResponseController finds what else the writer can do.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Provider tells a provider which trace it answers.
func (t *Tracer) Provider(next http.RoundTripper) http.RoundTripper { return &outbound{t, next} }

type outbound struct {
	*Tracer
	next http.RoundTripper
}

// RoundTrip sends a request.
func (o *outbound) RoundTrip(r *http.Request) (*http.Response, error) {
	out := *r
	out.Header = r.Header.Clone()
	o.wire.Inject(r.Context(), propagation.HeaderCarrier(out.Header))
	return o.next.RoundTrip(&out)
}

// Here names the span of ctx, for Run: a run starts after its request has ended,
// and may start in another process.
func (t *Tracer) Here(ctx context.Context) string {
	carrier := propagation.MapCarrier{}
	t.wire.Inject(ctx, carrier)
	return carrier.Get("traceparent")
}

// Run begins the span of a run.
func (t *Tracer) Run(ctx context.Context, from, id, requestID string) (context.Context, func(status string)) {
	ctx = t.wire.Extract(ctx, propagation.MapCarrier{"traceparent": from})
	ctx, span := t.tracer.Start(ctx, "run", oteltrace.WithAttributes(
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
	ctx, span := t.tracer.Start(ctx, "tool "+name, oteltrace.WithAttributes(attribute.String("gen_ai.tool.name", name)))
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
