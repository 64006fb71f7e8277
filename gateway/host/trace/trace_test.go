package trace

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/loongclaw/loongclaw/telemetry/traces"
)

const (
	traceID = "0af7651916cd43dd8448eb211c80319c"
	parent  = "00-" + traceID + "-b7ad6b7169203331-01"
)

func newTracer(t *testing.T) (*Tracer, *tracetest.InMemoryExporter) {
	t.Helper()
	kept := tracetest.NewInMemoryExporter()
	tracer, err := traces.NewTo(t.Context(), service("1.2.3"), sdk.WithSyncer(kept))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tracer.Close(context.Background(), slog.New(slog.DiscardHandler)) })
	return &Tracer{tracer}, kept
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// answered is an agent that notes what it is told.
func answered(status int, told *string) http.RoundTripper {
	return roundTrip(func(r *http.Request) (*http.Response, error) {
		*told = r.Header.Get("Traceparent")
		return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(""))}, nil
	})
}

func TestOneTraceFromTheCallerToTheAgent(t *testing.T) {
	tracer, kept := newTracer(t)
	var told, forwarded string
	way := tracer.Agents(answered(503, &told))
	h := tracer.Server(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Pattern = "/api/history/:session"
		forwarded = r.Header.Get("Traceparent")
		out, err := http.NewRequestWithContext(r.Context(), http.MethodGet, "http://agent:8788/api/history/secret-session?token=secret-token", nil)
		if err != nil {
			t.Error(err)
		}
		resp, err := way.RoundTrip(out)
		if err != nil {
			t.Error(err)
			return
		}
		_ = resp.Body.Close()
		if out.Header.Get("Traceparent") != "" {
			t.Error("a RoundTripper must not change its request")
		}
		w.Header().Set("X-Request-Id", "req_1")
		w.WriteHeader(resp.StatusCode)
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Errorf("what the writer can do is hidden: %v", err)
		}
	}))
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/history/secret-session?token=secret-token", nil)
	r.Header.Set("Traceparent", parent)
	r.Header.Set("Authorization", "Bearer secret-token")
	h.ServeHTTP(httptest.NewRecorder(), r)

	spans := kept.GetSpans()
	if len(spans) != 2 {
		t.Fatalf("%d spans, want 2", len(spans))
	}
	client, server := spans[0], spans[1]
	if server.Name != "GET /api/history/:session" || server.Parent.SpanID().String() != "b7ad6b7169203331" {
		t.Errorf("server span %q of %s", server.Name, server.Parent.SpanID())
	}
	if client.Parent.SpanID() != server.SpanContext.SpanID() {
		t.Error("the request to the agent is no child of the client's request")
	}
	for what, got := range map[string]string{"the handler": forwarded, "the agent": told} {
		if !strings.HasPrefix(got, "00-"+traceID+"-") || got == parent {
			t.Errorf("%s was told %q, want a new span of trace %s", what, got, traceID)
		}
	}
	for _, s := range spans {
		for _, a := range s.Attributes {
			if text := a.Value.String(); strings.Contains(text, "secret") {
				t.Errorf("the span %s holds %s=%s", s.Name, a.Key, text)
			}
		}
	}
}

// What a socket asks hours after it was opened is no part of that request.
func TestAFrameHasATraceOfItsOwn(t *testing.T) {
	tracer, kept := newTracer(t)
	var socket context.Context
	tracer.Server(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { socket = context.WithoutCancel(r.Context()) })).
		ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/ws", nil))
	var told string
	r, err := http.NewRequestWithContext(socket, http.MethodPost, "http://agent:8788/api/sessions/s/runs", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := tracer.Agents(answered(202, &told)).RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	spans := kept.GetSpans()
	opened, asked := spans[0], spans[1]
	if asked.SpanContext.TraceID() == opened.SpanContext.TraceID() || len(asked.Links) != 1 || asked.Links[0].SpanContext.TraceID() != opened.SpanContext.TraceID() {
		t.Errorf("the frame's request is in trace %s with links %v, want a trace of its own with a link to %s", asked.SpanContext.TraceID(), asked.Links, opened.SpanContext.TraceID())
	}
}

func TestProbesLeaveNoTrace(t *testing.T) {
	tracer, kept := newTracer(t)
	tracer.Server(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/health", nil))
	if n := len(kept.GetSpans()); n != 0 {
		t.Errorf("%d spans, want none", n)
	}
}
