package traces

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	oteltrace "go.opentelemetry.io/otel/trace"

	"github.com/loongclaw/loongclaw/pkg/chat"
)

// Service is the program whose spans they are.
type Service struct {
	Name    string // such as gateway
	Version string
	// Silent are the paths that whoever keeps the process asks all the time: they
	// tell nothing.
	Silent []string
}

// closing is how long the last spans may take to be exported.
const closing = 2 * time.Second

// Tracer makes spans.
type Tracer struct {
	oteltrace.Tracer

	provider *sdk.TracerProvider
	wire     propagation.TraceContext
	silent   []string
}

// New returns a tracer that exports to the collector of the environment. It does not
// connect: a collector that is away costs spans and nothing else.
func New(ctx context.Context, s Service, log *slog.Logger) (*Tracer, error) {
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("traces: %w\nNext: correct the OTEL_ variables, or unset OTEL_EXPORTER_OTLP_ENDPOINT", err)
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Warn("traces", "error", err) }))
	return NewTo(ctx, s, sdk.WithBatcher(exporter))
}

// NewTo returns a tracer that exports elsewhere.
func NewTo(ctx context.Context, s Service, to sdk.TracerProviderOption) (*Tracer, error) {
	about, err := resource.New(ctx, resource.WithAttributes(
		attribute.String("service.name", "loongclaw-"+s.Name), attribute.String("service.version", s.Version)), resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("traces: %w\nNext: correct OTEL_RESOURCE_ATTRIBUTES", err)
	}
	p := sdk.NewTracerProvider(sdk.WithResource(about), to)
	return &Tracer{Tracer: p.Tracer("github.com/loongclaw/loongclaw/" + s.Name), provider: p, silent: s.Silent}, nil
}

// Close exports what is left. A collector that is away keeps nobody from ending.
func (t *Tracer) Close(ctx context.Context, log *slog.Logger) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closing)
	defer cancel()
	if err := t.provider.Shutdown(ctx); err != nil {
		log.Warn("the last traces were not exported", "error", err)
	}
}

// IsSilent reports whether a path leaves no span.
func (t *Tracer) IsSilent(path string) bool { return slices.Contains(t.silent, path) }

// Extract returns ctx with the span that is named there.
func (t *Tracer) Extract(ctx context.Context, from propagation.TextMapCarrier) context.Context {
	return t.wire.Extract(ctx, from)
}

// Inject names the span of ctx.
func (t *Tracer) Inject(ctx context.Context, into propagation.TextMapCarrier) {
	t.wire.Inject(ctx, into)
}

// Server makes a span of each request: a child of the caller's, where it has one.
// Whom the handler asks in its turn finds this span in the request's traceparent.
func (t *Tracer) Server(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if t.IsSilent(r.URL.Path) {
			next.ServeHTTP(w, r)
			return
		}
		header := propagation.HeaderCarrier(r.Header)
		ctx, span := t.Start(t.Extract(r.Context(), header), r.Method, oteltrace.WithSpanKind(oteltrace.SpanKindServer))
		defer span.End()
		t.Inject(ctx, header)
		seen := &statusWriter{ResponseWriter: w}
		r = r.WithContext(ctx)
		next.ServeHTTP(seen, r)
		if r.Pattern != "" {
			span.SetName(r.Method + " " + r.Pattern)
			span.SetAttributes(attribute.String("http.route", r.Pattern))
		}
		// The gateway settles the id and says it in its answer; the agent is told it.
		id := cmp.Or(w.Header().Get(chat.HeaderRequestID), r.Header.Get(chat.HeaderRequestID))
		span.SetAttributes(attribute.String("http.request.method", r.Method), attribute.String("loongclaw.request_id", id))
		SetStatus(span, seen.status)
	})
}

// SetStatus notes the status of an answer.
func SetStatus(span oteltrace.Span, status int) {
	span.SetAttributes(attribute.Int("http.response.status_code", status))
	if status >= http.StatusInternalServerError {
		span.SetStatus(codes.Error, "")
	}
}

// Outgoing returns a copy of a request that names the span of ctx: a RoundTripper must
// not change its own.
func (t *Tracer) Outgoing(ctx context.Context, r *http.Request) *http.Request {
	out := r.Clone(ctx)
	if out.Header == nil {
		out.Header = http.Header{}
	}
	t.Inject(ctx, propagation.HeaderCarrier(out.Header))
	return out
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
