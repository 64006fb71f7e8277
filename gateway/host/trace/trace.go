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
)

// Tracer makes spans.
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
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Warn("traces", "error", err) }))
	return with(ctx, version, sdk.WithBatcher(exporter))
}

func with(ctx context.Context, version string, to sdk.TracerProviderOption) (*Tracer, error) {
	about, err := resource.New(ctx, resource.WithAttributes(
		attribute.String("service.name", "loongclaw-gateway"), attribute.String("service.version", version)), resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("traces: %w\nNext: correct OTEL_RESOURCE_ATTRIBUTES", err)
	}
	p := sdk.NewTracerProvider(sdk.WithResource(about), to)
	return &Tracer{provider: p, tracer: p.Tracer("github.com/loongclaw/loongclaw/gateway")}, nil
}

// Close exports what is left.
func (t *Tracer) Close(ctx context.Context) error { return t.provider.Shutdown(ctx) }

// probes are asked all the time, and tell nothing.
var probes = map[string]bool{"/health": true, "/ready": true}

// Server makes a span of each request: a child of the caller's, where it has one.
// Whom the handler asks in its turn finds this span in the request's traceparent.
func (t *Tracer) Server(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if probes[r.URL.Path] {
			next.ServeHTTP(w, r)
			return
		}
		header := propagation.HeaderCarrier(r.Header)
		ctx, span := t.tracer.Start(t.wire.Extract(r.Context(), header), r.Method, oteltrace.WithSpanKind(oteltrace.SpanKindServer))
		defer span.End()
		t.wire.Inject(ctx, header)
		seen := &statusWriter{ResponseWriter: w}
		r = r.WithContext(ctx)
		next.ServeHTTP(seen, r)
		if r.Pattern != "" {
			span.SetName(r.Method + " " + r.Pattern)
			span.SetAttributes(attribute.String("http.route", r.Pattern))
		}
		span.SetAttributes(attribute.String("http.request.method", r.Method), attribute.Int("http.response.status_code", seen.status),
			attribute.String("loongclaw.request_id", w.Header().Get("X-Request-Id")))
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

// Agents makes a span of each request to an agent, and tells the agent.
func (t *Tracer) Agents(next http.RoundTripper) http.RoundTripper { return &way{t, next} }

type way struct {
	*Tracer
	next http.RoundTripper
}

// RoundTrip sends a request.
func (w *way) RoundTrip(r *http.Request) (*http.Response, error) {
	if probes[r.URL.Path] {
		return w.next.RoundTrip(r)
	}
	options := []oteltrace.SpanStartOption{oteltrace.WithSpanKind(oteltrace.SpanKindClient)}
	if over := oteltrace.SpanFromContext(r.Context()); over.SpanContext().IsSampled() && !over.IsRecording() {
		// A socket's: the request that opened it has long ended, and what its frames
		// ask are traces of their own.
		options = append(options, oteltrace.WithNewRoot(), oteltrace.WithLinks(oteltrace.Link{SpanContext: over.SpanContext()}))
	}
	ctx, span := w.tracer.Start(r.Context(), "agent "+r.Method, options...)
	defer span.End()
	out := *r.WithContext(ctx)
	out.Header = r.Header.Clone()
	if out.Header == nil {
		out.Header = http.Header{}
	}
	w.wire.Inject(ctx, propagation.HeaderCarrier(out.Header))
	resp, err := w.next.RoundTrip(&out)
	span.SetAttributes(attribute.String("server.address", r.URL.Host))
	if err != nil {
		span.SetStatus(codes.Error, "no answer") // the error itself may hold an address with a query
		return resp, err
	}
	span.SetAttributes(attribute.Int("http.response.status_code", resp.StatusCode))
	if resp.StatusCode >= http.StatusInternalServerError {
		span.SetStatus(codes.Error, "")
	}
	return resp, nil
}
